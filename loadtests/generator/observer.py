"""Writes the timeline: once a second, what was asked, what ran, how the generator fared."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from analysis.recording.format import TIMELINE
from analysis.recording.writer import LineFile
from loadtests.generator.clock import Alarm, LagMonitor, now_ns
from loadtests.generator.recorder import Recorder
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
    running, starting : callable
        How many users run, and how many of them start no task: they are in ``on_start``,
        and wait for no answer there.
    is_open : bool
        Whether arrivals are asked for, not users.
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
        starting: Callable[[], int],
        is_open: bool = False,
    ) -> None:
        self._file = LineFile(folder / TIMELINE)
        self._process = process
        self._recorder = recorder
        self._lag = lag
        self._moment = moment
        self._running = running
        self._starting = starting
        self._is_open = is_open
        self._before = (0, 0)
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
        loaded_s = max((now - max(self._at_ns, origin_ns)) / 1e9, 1e-9)
        second = self._recorder.take_second()
        moment = self._moment(now - _BEFORE_NS)
        p50, p95 = second.percentiles_ms(0.5, 0.95)
        before, self._before = self._before, (self._recorder.clicks, self._recorder.late_arrivals)
        self._file.write(
            {
                "t_s": round((now - origin_ns) / 1e9, 6),
                "process": self._process,
                "stage": moment.stage,
                "phase": moment.phase.value,
                "asked": moment.level if self._is_open else moment.users,
                "running": self._running(),
                "starting": self._starting(),
                "clicks": self._before[0] - before[0],
                "late": self._before[1] - before[1],
                "missed": second.missed,
                "open": len(self._recorder.in_flight),
                "rate": round(second.ok / loaded_s, 3),
                "p50_ms": p50,
                "p95_ms": p95,
                "bad": second.bad,
                "reopened": second.reopened,
                "budgets": second.budgets.tolist(),
                "cpu": round((cpu_s - self._cpu_s) / length_s, 4),
                "loop_lag_us": self._lag.take(),
                "send_lag_p99_us": second.send_lag_us(0.99),
            }
        )
        self._at_ns, self._cpu_s = now, cpu_s
