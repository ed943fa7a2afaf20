"""Whether the required stage is held on: while a budget is undecided, and at most so long.

::

    hold of the required stage                    a chunk            a chunk
    |--------------------------------[ look ]----|-----------[ look ]|-------------
                                      judge what     undecided: hold on; decided, broken,
                                      is recorded    invalid, or nothing left: go on
                                      so far

A look begins early enough to be answered before the hold would end; one that is not
prolongs nothing, and that is said. Every look gives chance another opportunity: see
decision 20.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.run_watch import RunState
from scenarios.model import Scenario

CHUNKS = 4
"""In how many pieces the time of ``extend`` is given at the most."""

FLUSH_S = 1.0
"""Records are on disk after so long."""

TOLD_S = 0.5
"""The generators must know so long before the hold would end."""

_LEAD_SHARE, _LEAD_LEAST_S, _LEAD_MOST_S = 0.1, 3.0, 60.0
_NICE = 10

Document = Mapping[str, Any]
Judge = Callable[[Path, int, float], Document | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a look at the run so far has found.

    Attributes
    ----------
    undecided : tuple of str
        Budgets that more of the required stage could decide.
    why_not : str or None
        Why the stage is not held on; None where it should be.
    """

    undecided: tuple[str, ...]
    why_not: str | None


def answer(verdict: Document, stage: int) -> Answer:
    """Read from a verdict whether its required stage should be held on.

    Parameters
    ----------
    verdict : mapping
        The document of verdict.json.
    stage : int
        Index of the stage.

    Returns
    -------
    Answer
        Only budgets count that can fail the run. None is needed once one is broken:
        more of the same load mends nothing; nor while the harness cannot say.
    """
    gating = [budget for budget in verdict["budgets"] if budget["severity"] == "fail"]
    undecided = tuple(
        f"{budget['subject']}: {budget['assertion']}"
        for budget in gating
        if _is_undecided(budget, stage)
    )
    broken = [reason for reason in verdict["validity"]["reasons"] if reason["code"] != "no_data"]
    if broken:
        why_not = f"the run is invalid: {broken[0]['message']}"
    elif any(budget["verdict"] == "failed" for budget in gating):
        why_not = "a budget is broken"
    elif not undecided:
        why_not = "every budget is decided"
    else:
        why_not = None
    return Answer(undecided=undecided, why_not=why_not)


def _is_undecided(budget: Document, stage: int) -> bool:
    """Tell whether a budget is undecided in a stage, and in no other of the same load."""
    (level,) = [each["level"] for each in budget["stages"] if each["stage"] == stage] or [None]
    at_level = [each for each in budget["stages"] if each["level"] == level]
    return [each["stage"] for each in at_level if each["verdict"] == "inconclusive"] == [stage]


def judge_so_far(folder: Path, stage: int, until_s: float) -> Document | None:
    """Judge what a run has recorded.

    Parameters
    ----------
    folder : Path
        The run folder.
    stage : int
        Index of the required stage.
    until_s : float
        Requests that were intended before are judged.

    Returns
    -------
    mapping or None
        As verdict.json; None when the hold had not begun by then.
    """
    from analysis.recording.reader import read_run  # noqa: PLC0415 - pandas, when it is needed
    from analysis.so_far import so_far  # noqa: PLC0415 - the same
    from analysis.verdict import judge  # noqa: PLC0415 - the same

    recording = so_far(read_run(folder), stage=stage, until_s=until_s)
    return None if recording is None else judge(recording)


def _nothing_yet(*_: object) -> None:
    """Judge a hold of which nothing was followed for long enough yet."""


class _Look(threading.Thread):
    """A look at the run, while it is watched on."""

    def __init__(self, judge: Judge, folder: Path, stage: int, began_s: float, until_s: float):
        super().__init__(name="judging", daemon=True)
        self._judge = judge
        self._folder = folder
        self.stage = stage
        self.began_s = began_s
        self.until_s = until_s
        self.found: Answer | None = None
        self.failed: str | None = None

    def run(self) -> None:
        """Judge; beside generators and target, which go first."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            verdict = self._judge(self._folder, self.stage, self.until_s)
        except Exception as error:  # noqa: BLE001 - the run goes on without it
            self.failed = f"{type(error).__name__}: {error}"
            return
        if verdict is None:
            self.found = Answer(undecided=("all",), why_not=None)
        else:
            self.found = answer(verdict, self.stage)


class Extension:
    """Holds the required stage on while a budget is undecided; one of the watchers of a run.

    Parameters
    ----------
    scenario : Scenario
        Whose `load.extend_s` is more than 0.
    judge : callable
        Judges a folder so far.
    """

    def __init__(self, scenario: Scenario, judge: Judge = judge_so_far) -> None:
        self._required = scenario.load.required
        self._left_s = scenario.load.extend_s
        self._chunk_s = scenario.load.extend_s / CHUNKS
        self._back_s = FLUSH_S + scenario.drain_s
        self._judge = judge
        self._lead_s: float | None = None
        self._look: _Look | None = None
        self._looks = 0
        self._given_s = 0.0
        self._is_over = False

    def look(self, run: RunState, t_s: float) -> None:
        """Look at the run when its hold nears its end; act on what was found."""
        if self._is_over or run.why is not None:
            return
        span = run.schedule.required_span(self._required)
        if self._lead_s is None:
            share_s = _LEAD_SHARE * span.length_s
            self._lead_s = min(max(share_s, _LEAD_LEAST_S), _LEAD_MOST_S)
        if self._look is None:
            if t_s > span.end_s - TOLD_S:
                self._give_up(run, t_s, "nobody looked in time")
            elif t_s >= span.end_s - self._lead_s:
                until_s = t_s - self._back_s
                judge = self._judge if until_s > span.hold_s else _nothing_yet
                self._look = _Look(judge, run.folder.path, span.stage, t_s, until_s)
                self._look.start()
        elif not self._look.is_alive():
            self._act(run, t_s, self._look, span.end_s)
        elif t_s > span.end_s - TOLD_S:
            self._give_up(run, t_s, "judging what was recorded so far took too long")

    def _act(self, run: RunState, t_s: float, look: _Look, end_s: float) -> None:
        self._look = None
        if look.found is None:
            self._give_up(run, t_s, f"what was recorded so far could not be judged: {look.failed}")
            return
        took_s = t_s - look.began_s
        run.event(
            t_s,
            "judged_so_far",
            stage=look.stage,
            until_s=round(look.until_s, 3),
            took_s=round(took_s, 3),
            undecided=list(look.found.undecided),
            why_not=look.found.why_not,
        )
        if look.found.why_not is not None:
            self._is_over = True
        elif t_s > end_s - TOLD_S:
            self._give_up(run, t_s, "judging what was recorded so far took too long")
        else:
            self._hold_on(run, took_s, look.found.undecided)

    def _hold_on(self, run: RunState, took_s: float, undecided: tuple[str, ...]) -> None:
        self._lead_s = max(_LEAD_LEAST_S, 2 * took_s + 2 * TOLD_S)
        by_s = round(min(self._left_s, max(self._chunk_s, 2 * self._lead_s)), 3)
        self._left_s -= by_s
        self._given_s += by_s
        self._looks += 1
        self._is_over = self._left_s <= 0
        run.extend(by_s)
        run.say(f"held on for {by_s:.3g} s more: undecided is {'; '.join(undecided)}")

    def _give_up(self, run: RunState, t_s: float, why: str) -> None:
        self._is_over = True
        text = f"the required stage was not held on: {why}"
        run.event(t_s, "warning", code="not_extended", text=text)

    def close(self, run: RunState) -> None:
        """Say how long the stage was held on; a look that still goes on changes nothing."""
        if self._looks:
            text = (
                f"the required stage was held on for {self._given_s:g} s after {self._looks} looks "
                "at undecided budgets: each look makes a wrong decision more likely"
            )
            run.event(run.now_s(), "warning", code="extended", text=text)
