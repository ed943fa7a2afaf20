"""The timeline: each line counts the time since the last one, the first since the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.recording.format import Outcome
from analysis.recording.streams import read_lines
from loadtests.generator import observer as module
from loadtests.generator.clock import LagMonitor, now_ns
from loadtests.generator.observer import Observer
from loadtests.generator.recorder import Recorder
from scenarios.schedule import Moment, Phase

S = 1_000_000_000
MS = 1_000_000


def raised(error: BaseException) -> None:
    raise error


def test_a_line_counts_what_ended_since_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, 0, 2.0, raised)
    made = now_ns()
    clock = [made]
    monkeypatch.setattr(module, "now_ns", lambda: clock[0])
    observer = Observer(
        tmp_path,
        3,
        recorder=recorder,
        lag=LagMonitor(),
        moment=lambda _: Moment(level=2.5, stage=0, phase=Phase.HOLD),
        running=lambda: 7,
        starting=lambda: 1,
        is_open=True,
    )
    origin = made + S // 5  # the start is told a little ahead
    user = recorder.new_user(None)
    for second in (1, 2):
        for number in range(10):
            recorder.begin_transaction(user, None)
            sent = recorder.sent(user, "GET", "/")
            sent.attempt = number == 0
            sent.intended_ns = sent.sent_ns = origin
            sent.done_ns = origin + (number + 1) * MS
            recorder.finished(sent, Outcome.OK if number else Outcome.HTTP_ERROR, 200)
        recorder.late_arrivals += second
        recorder.missed(None, None, None, origin)
        clock[0] = origin + second * S
        observer.write(origin)
    recorder.close()
    lines = read_lines(tmp_path / "timeline.jsonl")

    for number, line in enumerate(lines, start=1):
        assert (line["t_s"], line["process"], line["stage"], line["phase"]) == (
            number,
            3,
            0,
            "hold",
        )
        assert (line["asked"], line["running"], line["starting"]) == (2.5, 7, 1)
        assert (line["clicks"], line["late"], line["missed"]) == (10, number, 1)
        assert (line["rate"], line["bad"], line["reopened"], line["open"]) == (9.0, 2, 1, 0)
        assert (line["p50_ms"], line["p95_ms"]) == (6.0, 9.6)
        assert line["send_lag_p99_us"] == 0
    assert len(lines) == 2
