"""Writes the timeline: once a second, what was asked, what ran, how the generator fared."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.recording.format import TIMELINE
from analysis.recording.writer import LineFile
from loadtests.generator.clock import Alarm, LagMonitor, now_ns
from loadtests.generator.recorder import Recorder, Second
from scenarios.schedule import Moment

_BEFORE_NS = 5_000_000
"""A line speaks of the time before it: at the edge of a stage, of the stage that ends."""


class Observer:
    """Writes ``timeline.jsonl``.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int
        Number of this generator process.
    recorder : Recorder
        Whose second is counted.
    lag : LagMonitor
        Lateness of the event loop.
    moment : callable
        What is asked at a moment of the monotonic clock.
    running : callable
        How many users run.
    """

    def __init__(
        self,
        folder: Path,
        process: int,
        *,
        recorder: Recorder,
        lag: LagMonitor,
        moment: Callable[[int], Moment],
        running: Callable[[], int],
    ) -> None:
        self._file = LineFile(folder / TIMELINE)
        self._process = process
        self._recorder = recorder
        self._lag = lag
        self._moment = moment
        self._running = running
        self._cpu_s = time.process_time()
        self._at_ns = now_ns()

    def run(self, origin_ns: int, alarm: Alarm) -> None:
        """Write a line at each full second of run time, for ever."""
        second = 1
        while True:
            alarm.sleep_until(origin_ns + second * 1_000_000_000)
            self.write(origin_ns)
            second = (now_ns() - origin_ns) // 1_000_000_000 + 1

    def write(self, origin_ns: int) -> None:
        """Write the line of the time since the last one."""
        now, cpu_s = now_ns(), time.process_time()
        length_s = max((now - self._at_ns) / 1e9, 1e-9)
        second, self._recorder.second = self._recorder.second, Second()
        moment = self._moment(now - _BEFORE_NS)
        p50, p95 = _percentiles(second.latencies_ms)
        self._file.write(
            {
                "t_s": round((now - origin_ns) / 1e9, 6),
                "process": self._process,
                "stage": moment.stage,
                "phase": moment.phase.value,
                "asked": moment.users,
                "running": self._running(),
                "late": 0,
                "missed": 0,
                "open": len(self._recorder.in_flight),
                "rate": round(len(second.latencies_ms) / length_s, 3),
                "p50_ms": p50,
                "p95_ms": p95,
                "bad": second.bad,
                "cpu": round((cpu_s - self._cpu_s) / length_s, 4),
                "loop_lag_us": self._lag.take(),
                "send_lag_p99_us": _p99(second.send_lag_us),
            }
        )
        self._at_ns, self._cpu_s = now, cpu_s


def _percentiles(latencies_ms: list[float]) -> tuple[float | None, float | None]:
    if not latencies_ms:
        return None, None
    p50, p95 = np.quantile(latencies_ms, (0.5, 0.95))
    return round(float(p50), 3), round(float(p95), 3)


def _p99(lags_us: list[int]) -> int | None:
    return int(np.quantile(lags_us, 0.99)) if lags_us else None
