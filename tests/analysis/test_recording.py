"""The recording survives whatever happens to it, and never says what did not happen."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recording.format import (
    COLUMNS,
    MAX_ENDPOINTS,
    NOT_SENT,
    NULLABLE,
    OTHER,
    PARQUET,
    ROW,
    Outcome,
    encode,
    stream_name,
)
from analysis.recording.reader import read_run
from analysis.recording.streams import consolidate, read_lines, read_names, read_samples
from analysis.recording.writer import LineFile, Names
from tests.analysis.synthetic import RunBuilder, scenario_of


def builder(tmp_path: Path) -> RunBuilder:
    return RunBuilder(tmp_path / "run", scenario_of([(1, 10)]))


def test_rows_come_back_as_they_were_packed(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(0.5, 0.25, name="GET /a", status=201, persona="sales_rep", user=7, step=2)
    build.add(1.0, None, name="POST /b", outcome=Outcome.UNFINISHED, seen_s=3.0)
    table, ends = read_samples(build.finish(ended_s=10.0))
    first, second = table.to_pylist()

    assert ends[0].rows == 2
    assert not ends[0].torn
    assert (first["method"], first["endpoint"], first["persona"]) == ("GET", "/a", "sales_rep")
    assert (first["intended_us"], first["done_us"], first["status"]) == (500_000, 750_000, 201)
    assert (first["user"], first["step"], first["outcome"]) == (7, 2, "ok")
    assert (second["done_us"], second["seen_us"]) == (None, 3_000_000)
    assert (second["outcome"], second["status"], second["persona"]) == ("unfinished", None, None)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(-1, 2**31 - 1)), max_size=20))
def test_minus_one_is_null_where_null_is_allowed_and_nowhere_else(
    rows: list[tuple[int, int]],
) -> None:
    packed = bytearray()
    for request, queries in rows:
        values = dict.fromkeys(COLUMNS, -1) | {"request": request, "queries": queries}
        packed += ROW.pack(*(values[name] for name in COLUMNS))
    schema = pa.ipc.read_message(encode(packed))
    from analysis.recording.format import STREAM_SCHEMA

    batch = pa.ipc.read_record_batch(schema, STREAM_SCHEMA)

    assert batch.column("request").to_pylist() == [request for request, _ in rows]
    assert batch.column("queries").to_pylist() == [None if q == -1 else q for _, q in rows]
    for name in COLUMNS:
        if name not in NULLABLE:
            assert batch.column(name).null_count == 0


FORMAT_1 = Path(__file__).parent / "data" / "format1"
"""A run that the first version of the format recorded."""


@pytest.mark.parametrize("consolidated", [False, True])
def test_a_run_of_the_first_format_is_read_and_has_no_clicks(
    tmp_path: Path, consolidated: bool
) -> None:
    folder = Path(shutil.copytree(FORMAT_1, tmp_path / "run"))
    if consolidated:
        consolidate(folder)
    samples = read_run(folder).samples

    assert samples["name"].tolist() == ["GET /a", "POST /b"]
    assert samples["outcome"].tolist() == ["ok", "unfinished"]
    assert samples["latency_ms"].tolist() == [250.0, 2000.0]
    assert samples["persona"].tolist()[0] == "sales_rep"
    assert samples["click"].isna().all()


def test_a_parquet_file_without_a_column_of_this_format_is_read(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(1.0, 0.1)
    folder = build.finish(ended_s=10.0)
    consolidate(folder)
    pq.write_table(pq.read_table(folder / PARQUET).drop_columns("click"), folder / PARQUET)

    assert read_run(folder).samples["click"].isna().all()


def test_a_missed_arrival_may_have_neither_endpoint_nor_send(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(1.0, 0.1, name="GET /a")
    values = dict.fromkeys(COLUMNS, -1) | {
        "process": 0,
        "request": 2,
        "attempt": 0,
        "intended_us": 2_000_000,
        "seen_us": 2_500_000,
        "click": build.names.number("click", "list"),
        "outcome": int(Outcome.MISSED),
    }
    build.packed += ROW.pack(*(values[name] for name in COLUMNS))
    build.outcomes[2] = Outcome.MISSED
    samples = read_run(build.finish(ended_s=10.0)).samples

    assert samples["name"].tolist() == ["GET /a", NOT_SENT]
    assert samples["click"].tolist()[1] == "list"
    assert samples["latency_ms"].tolist() == [100.0, 500.0]
    assert samples["bad"].tolist() == [False, True]
    assert samples["censored"].tolist() == [False, True]
    assert np.isnan(samples["service_ms"][1])


@pytest.mark.costly
def test_a_stream_cut_anywhere_keeps_every_whole_batch_and_never_a_wrong_row(
    tmp_path: Path,
) -> None:
    build = builder(tmp_path)
    path, sizes = build.folder / stream_name(0), []
    sizes.append(path.stat().st_size)
    for batch in range(4):
        for row in range(3):
            build.add(batch + row / 10, 0.01, name=f"GET /{row}")
        build.flush()
        sizes.append(path.stat().st_size)
    folder = build.finish(ended_s=10.0)
    whole = path.read_bytes()
    truth = read_samples(folder)[0].column("request").to_pylist()

    edges = {
        min(size + near, len(whole)) for size in sizes for near in (-9, -8, -4, -1, 0, 1, 4, 8, 9)
    }
    for cut in sorted(edges | set(range(0, len(whole), 61))):
        path.write_bytes(whole[:cut])
        table, (end,) = read_samples(folder)
        complete = sum(size <= cut for size in sizes[1:])
        assert table.column("request").to_pylist() == truth[: 3 * complete]
        assert end.rows == 3 * complete
        if cut >= sizes[0]:
            assert end.torn == (cut not in sizes)


def test_a_later_row_of_a_request_replaces_the_open_one(tmp_path: Path) -> None:
    build = builder(tmp_path)
    stuck = build.add(1.0, None, outcome=Outcome.OPEN, seen_s=2.0)
    ended = build.add(1.0, None, outcome=Outcome.OPEN, seen_s=2.0)
    build.flush()
    build.add(1.0, None, outcome=Outcome.OPEN, seen_s=3.0, request=stuck)
    build.add(1.0, 1.5, request=ended)
    build.add(2.0, 0.1)
    folder = build.finish(ended_s=10.0)
    rows = {row["request"]: row for row in read_samples(folder)[0].to_pylist()}

    assert len(rows) == 3
    assert (rows[stuck]["outcome"], rows[stuck]["seen_us"]) == ("open", 3_000_000)
    assert (rows[ended]["outcome"], rows[ended]["done_us"]) == ("ok", 2_500_000)


def test_consolidating_changes_nothing(tmp_path: Path) -> None:
    build = builder(tmp_path)
    rng = np.random.default_rng(1)
    for index in range(500):
        outcome = Outcome.OPEN if index % 50 == 0 else Outcome.OK
        build.add(index / 100, None if outcome is Outcome.OPEN else rng.exponential(0.01), seen_s=9)
    folder = build.finish(ended_s=10.0)
    before = read_run(folder).samples
    consolidate(folder)
    after = read_run(folder).samples

    assert (folder / PARQUET).is_file()
    assert not list(folder.glob("*.part"))
    assert after.equals(before)


def test_columns_of_a_later_minor_version_are_kept(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(1.0, 0.1)
    folder = build.finish(ended_s=10.0)
    consolidate(folder)
    table = pq.read_table(folder / PARQUET)
    pq.write_table(table.append_column("weather", pa.array(["fine"])), folder / PARQUET)

    assert read_run(folder).samples["weather"].tolist() == ["fine"]


def test_only_the_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(2.0, 0.2, name="GET /b")
    build.add(1.0, 0.1, name="GET /a")
    folder = build.finish(ended_s=10.0)
    consolidate(folder)
    everything = read_run(folder).samples
    some = read_run(folder, ("name", "good", "latency_ms")).samples

    assert sorted(some.columns) == ["good", "latency_ms", "name"]
    assert some.equals(everything[list(some.columns)])


def test_numbers_are_as_small_as_they_are_exact(tmp_path: Path) -> None:
    build = builder(tmp_path)
    for request in (7, 2**40):
        build.add(1.0, 0.1, request=request, user=3)
    first = read_run(build.finish(ended_s=10.0)).samples

    assert first["request"].tolist() == [7, 2**40]
    assert first["user"].dtype == np.int32
    assert first["server_us"].dtype == np.float32
    assert first["server_us"].isna().all()


def test_a_run_without_a_single_sample_can_be_read(tmp_path: Path) -> None:
    recording = read_run(builder(tmp_path).finish(ended_s=10.0))

    assert len(recording.samples) == 0
    assert recording.samples["latency_ms"].dtype == np.float64


def test_a_run_that_was_killed_ends_where_its_records_do(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(1.0, 0.5)
    build.timeline([{"t_s": 1.0}, {"t_s": 4.0}])
    recording = read_run(build.finish(ended_s=None, closed=False))

    assert recording.end_why == "killed"
    assert recording.ended_s == 4.0


def test_endpoints_beyond_a_thousand_are_counted_together(tmp_path: Path) -> None:
    names = Names(tmp_path_with_samples(tmp_path), 0)
    numbers = [names.number("endpoint", f"/{index}") for index in range(MAX_ENDPOINTS + 5)]
    names.close()
    known = read_names(tmp_path)[0, "endpoint"]

    assert names.overflowed
    assert len(set(numbers)) == MAX_ENDPOINTS + 1
    assert {known[number] for number in numbers[-5:]} == {OTHER}


def test_a_name_is_on_disk_before_a_row_can_use_its_number(tmp_path: Path) -> None:
    names = Names(tmp_path_with_samples(tmp_path), 3)
    number = names.number("method", "GET")

    assert read_names(tmp_path) == {(3, "method"): {number: "GET"}}
    assert names.number("method", "GET") == number
    assert names.number("persona", None) == -1
    names.close()


def test_a_name_that_is_no_utf_8_is_written_with_question_marks(tmp_path: Path) -> None:
    names = Names(tmp_path_with_samples(tmp_path), 0)
    numbers = {names.number("endpoint", "/\ud800") for _ in range(2)}
    names.close()

    assert read_names(tmp_path) == {(0, "endpoint"): dict.fromkeys(numbers, "/?")}
    assert len(numbers) == 1


def tmp_path_with_samples(tmp_path: Path) -> Path:
    (tmp_path / "samples").mkdir()
    return tmp_path


def test_a_line_that_the_disk_takes_in_part_is_cut_off_and_nobody_elses_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines.jsonl"
    mine, theirs = LineFile(path), LineFile(path)
    mine.write({"before": 1})
    other = threading.Thread(target=theirs.write, args=({"theirs": 2},))
    write, calls = os.write, []

    def full(fd: int, data: bytes) -> int:
        if threading.current_thread() is other:
            return write(fd, data)
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = write(fd, data[:5])
        other.start()  # another process writes meanwhile, or would
        other.join(timeout=0.05)
        return taken

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        mine.write({"mine": "a line that does not fit"})
    other.join(timeout=5)

    assert read_lines(path) == [{"before": 1}, {"theirs": 2}]


def test_a_line_that_was_cut_is_left_out_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    file = LineFile(path)
    file.write({"a": 1})
    file.write({"a": 2})
    file.close()
    path.write_bytes(path.read_bytes() + b'{"a": 3')

    assert [line["a"] for line in read_lines(path)] == [1, 2]
    for broken in ('{"a": 1\n{"a": 2}\n', "5\n"):
        path.write_text(broken)
        with pytest.raises(ValueError, match=r"lines\.jsonl, line 1"):
            read_lines(path)


FILLS_UP = """
import resource, signal, sys
from pathlib import Path
from analysis.recording.format import COLUMNS, ROW
from analysis.recording.writer import StreamWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
writer = StreamWriter(Path(sys.argv[1]), 0)
try:
    for batch in range(1000):
        writer.write(ROW.pack(*(0 for _ in COLUMNS)) * 50)
except OSError as error:
    print(writer.rows, error.strerror)
"""


@pytest.mark.costly
def test_a_disk_that_is_full_is_an_error_and_what_was_written_can_be_read(tmp_path: Path) -> None:
    limit = str(100_000)
    done = subprocess.run(
        [sys.executable, "-c", FILLS_UP, str(tmp_path), limit],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, _, reason = done.stdout.strip().partition(" ")
    LineFile(tmp_path / "samples" / "names.jsonl").close()
    table, (end,) = read_samples(tmp_path)

    assert reason == "File too large"
    assert int(rows) > 100
    assert table.num_rows == end.rows == int(rows)
    assert not end.torn


@pytest.mark.costly
def test_the_recording_room_does_not_import_pandas() -> None:
    code = "import sys, analysis.recording.writer; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_the_names_file_holds_one_json_object_a_line(tmp_path: Path) -> None:
    build = builder(tmp_path)
    build.add(1.0, 0.1, name="GET /a b")
    folder = build.finish(ended_s=10.0)
    lines = (folder / "samples" / "names.jsonl").read_text().splitlines()

    assert {json.loads(line)["name"] for line in lines} >= {"GET", "/a b"}
