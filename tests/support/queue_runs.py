"""Runs of queues whose percentiles are known by theory, written as the generators write them.

Poisson arrivals at a server or several, first come first served, in the open model: a
warm-up, and one hold. Two generator processes with clocks of their own record every
second arrival each, in batches, as streams without a consolidated file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.recording.format import COLUMNS, EVENTS, FORMAT, MANIFEST, Outcome
from analysis.recording.writer import LineFile, Names, StreamWriter
from tests.support.queues import mmc_responses

WARMUP_S = 20.0
BATCH = 700
OFFSETS_US = (0, -7_250_000)
"""What is added to a process's times to get run time: the second one's clock is ahead."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Queue:
    """A queue of the reference, with the true quantiles of its response time.

    Attributes
    ----------
    name : str
        As in ``"M/M/2 .8"``.
    servers : int
        How many.
    service_s : float
        Mean service time.
    steady : bool
        Whether every service lasts as long.
    rate : float
        Arrivals per second.
    quantiles_s : dict of float to float
        By level.
    """

    name: str
    servers: int
    service_s: float
    steady: bool
    rate: float
    quantiles_s: dict[float, float]

    def is_atom(self, level: float) -> bool:
        """Whether a share of requests takes exactly as long as the quantile, and none less."""
        return self.steady and self.quantiles_s[level] == self.service_s


def reference() -> list[Queue]:
    """Every M/M/1, M/M/c and M/D/1 queue of the reference."""
    text = Path(__file__).with_name("queueing_reference.json").read_text()
    found = []
    for kind, letter in (("MM1_FCFS", "M"), ("MMc_FCFS", "M"), ("MD1_FCFS", "D")):
        for case in json.loads(text)[kind]:
            rho, servers = round(case["rho"], 6), case.get("c", 1)
            found.append(
                Queue(
                    name=f"M/{letter}/{servers} {rho}",
                    servers=servers,
                    service_s=case["D"] if letter == "D" else 1 / case["mu"],
                    steady=letter == "D",
                    rate=case["lam"],
                    quantiles_s={float(p): q for p, q in case["quantiles_T"].items()},
                )
            )
    return found


def write_queue_run(folder: Path, queue: Queue, rng: np.random.Generator, n: int) -> Path:
    """Write a run in which about `n` requests are intended in the hold."""
    hold_s = round(n / queue.rate, 3)
    count = round(queue.rate * (WARMUP_S + hold_s + 10))
    came = np.cumsum(rng.exponential(1 / queue.rate, count))
    service = np.full(count, queue.service_s)
    if not queue.steady:
        service = rng.exponential(queue.service_s, count)
    took = mmc_responses(came, service, queue.servers)
    sent = came < WARMUP_S + hold_s
    folder.mkdir(parents=True)
    for process, offset_us in enumerate(OFFSETS_US):
        mine = np.flatnonzero(sent)[process :: len(OFFSETS_US)]
        _write(folder, process, came[mine] - offset_us / 1e6, took[mine])
    scenario = {
        "name": "queue",
        "title": queue.name,
        "target": {"url": "http://127.0.0.1:1"},
        "load": {
            "model": "open",
            "mix": {"portal_customer": 1},
            "warmup": f"{WARMUP_S}s",
            "settle": "0s",
            "stages": [{"rate": queue.rate, "hold": f"{hold_s}s"}],
        },
    }
    manifest = {
        "format": FORMAT,
        "run": folder.name,
        "scenario": scenario,
        "target": {"url": "http://127.0.0.1:1"},
        "generators": [
            {"process": process, "clock": {"offset_us": offset_us, "uncertainty_us": 0}}
            for process, offset_us in enumerate(OFFSETS_US)
        ],
        "end": {"load_ended_s": WARMUP_S + hold_s, "why": "finished"},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def _write(folder: Path, process: int, came_s: FloatArray, took_s: FloatArray) -> None:
    stream = StreamWriter(folder, process)
    names = Names(folder, process)
    order = np.argsort(came_s + took_s, kind="stable")  # rows are written as requests end
    n = len(order)
    intended = np.rint(came_s * 1e6).astype(np.int64)
    done = intended + np.rint(took_s * 1e6).astype(np.int64)
    columns = dict.fromkeys(COLUMNS, np.full(n, -1))
    columns |= {
        "process": np.full(n, process),
        "request": np.arange(1, n + 1),
        "transaction": np.arange(1, n + 1),
        "step": np.zeros(n, dtype=np.int64),
        "attempt": np.zeros(n, dtype=np.int64),
        "intended_us": intended,
        "sent_us": intended,
        "done_us": done,
        "seen_us": done,
        "method": np.full(n, names.number("method", "GET")),
        "endpoint": np.full(n, names.number("endpoint", "/queue")),
        "outcome": np.full(n, int(Outcome.OK)),
        "status": np.full(n, 200),
    }
    for start in range(0, n, BATCH):
        rows = order[start : start + BATCH]
        stream.write_columns({name: column[rows] for name, column in columns.items()})
    stream.close()
    names.close()
    events = LineFile(folder / EVENTS)
    counts = {"rows": n, "requests": n, "engine_requests": n}
    events.write({"t_s": 0.0, "kind": "stream_closed", "process": process, **counts})
    events.close()
