"""What recording a request costs, against the ways it is usually done.

Prints microseconds of CPU per row and the ratio to a CSV row, the reference:
medians of interleaved rounds. Every way ends in bytes on a file.
"""

from __future__ import annotations

import csv
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from analysis.recording.format import COLUMNS, ROW, encode
from analysis.recording.writer import write_all

ROWS = 20_000
ROUNDS = 9
VALUES = [0, 1, 1, 0, 0, 10**6, 10**6, -1, 10**6, 10**6, 10**6, 0, 1, 2, 3, 0, 200, -1]
VALUES += [0, 360, 1200, 300, 2, -1]


def packed(file: io.FileIO) -> None:
    buffer = bytearray()
    for number in range(ROWS):
        buffer += ROW.pack(0, number, *VALUES[2:])
    write_all(file.fileno(), encode(buffer))


def csv_rows(file: io.FileIO) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    for number in range(ROWS):
        writer.writerow((0, number, *VALUES[2:]))
    file.write(text.getvalue().encode())


def json_lines(file: io.FileIO) -> None:
    lines = (
        json.dumps(dict(zip(COLUMNS, (0, number, *VALUES[2:]), strict=True)))
        for number in range(ROWS)
    )
    file.write("\n".join(lines).encode())


def cost_us(record: Callable[[io.FileIO], None], folder: Path) -> float:
    with io.FileIO(str(folder / "rows"), "w") as file:
        began = time.process_time()
        record(file)
        return (time.process_time() - began) / ROWS * 1e6


def main() -> None:
    ways = {"csv row (reference)": csv_rows, "packed row, Arrow batch": packed, "json": json_lines}
    costs: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, record in ways.items():
                costs[name].append(cost_us(record, Path(folder)))
    reference = statistics.median(costs["csv row (reference)"])
    for name, found in costs.items():
        median = statistics.median(found)
        print(f"{name:26} {median:6.2f} us a row   x {median / reference:.2f}")


if __name__ == "__main__":
    main()
