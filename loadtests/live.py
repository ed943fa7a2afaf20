"""What is known of a run while it goes on: the timeline, second by second, added up."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.counted_budgets import counted_budgets
from scenarios.assertions import Assertion, Metric
from scenarios.model import Scenario

KEPT_S = 60
"""Seconds of the past that are kept to be drawn."""

_WHOLE_FROM = 1_000.0

Line = Mapping[str, Any]
"""A line of timeline.jsonl."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """One second of a run, all generator processes together.

    Attributes
    ----------
    t_s : float
        Run time in seconds.
    stage, phase : int or None, str
        As the schedule has them.
    asked, running : float
        Users asked for (or arrivals per second), and users running.
    rate : float
        Right answers per second.
    p50_ms, p95_ms : float or None
        Of the second; of several processes the p50 weighted by rate and the highest p95.
    bad, open, late, missed : int
        Requests that ended badly or are open; arrivals that waited or were given up.
    cpu : float
        Share of its core that the busiest generator used.
    lag_ms : float or None
        The latest that an event loop was in this second.
    """

    t_s: float
    stage: int | None
    phase: str
    asked: float
    running: int
    rate: float
    p50_ms: float | None
    p95_ms: float | None
    bad: int
    open: int
    late: int
    missed: int
    cpu: float
    lag_ms: float | None

    @property
    def asked_text(self) -> str:
        """What is asked for, never with an exponent."""
        return f"{self.asked:,.0f}" if self.asked >= _WHOLE_FROM else f"{self.asked:.4g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSoFar:
    """How a budget stands in the hold that is on.

    Attributes
    ----------
    subject : str
        ``"all"`` or an endpoint.
    assertion : Assertion
        What must hold.
    requests, beyond : int
        Requests of the hold so far, and those beyond the limit or bad.
    """

    subject: str
    assertion: Assertion
    requests: int
    beyond: int

    @property
    def share(self) -> float | None:
        """Share beyond the limit; None before the first request."""
        return self.beyond / self.requests if self.requests else None

    @property
    def allowed(self) -> float:
        """Share that may be beyond it."""
        if self.assertion.metric is Metric.ERROR_RATIO:
            return self.assertion.limit
        return 1 - (self.assertion.level or 0.0)

    @property
    def holds(self) -> bool | None:
        """Whether it holds so far: no verdict, which needs enough requests to be one."""
        share = self.share
        return None if share is None else share <= self.allowed


class LiveRun:
    """Adds up the timeline of a run.

    Parameters
    ----------
    scenario : Scenario
        What is run.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._counted = counted_budgets(scenario)
        self._errors = tuple(
            budget
            for budget in scenario.budgets
            if budget.assertion.metric is Metric.ERROR_RATIO and budget.subject == "all"
        )
        self._latest: dict[int, Line] = {}
        self._stage: int | None = None
        self._beyond = [[0, 0] for _ in self._counted]
        self._finished = [0, 0]
        self.past: deque[Now] = deque(maxlen=KEPT_S)

    def add(self, line: Line) -> Now:
        """Take a line of the timeline.

        Parameters
        ----------
        line : mapping
            Of one generator process and second.

        Returns
        -------
        Now
            That second, with the last lines of the other processes.
        """
        self._latest[line["process"]] = line
        self._count(line)
        now = _together(list(self._latest.values()), line)
        if self.past and int(self.past[-1].t_s) == int(now.t_s):
            self.past.pop()
        self.past.append(now)
        return now

    def _count(self, line: Line) -> None:
        if line["phase"] != "hold":
            return
        if line["stage"] != self._stage:
            self._stage = line["stage"]
            self._beyond = [[0, 0] for _ in self._counted]
            self._finished = [0, 0]
        for count, (requests, beyond) in zip(self._beyond, line.get("budgets", ()), strict=False):
            count[0] += requests
            count[1] += beyond
        self._finished[0] += round(line["rate"]) + line["bad"]  # a line speaks of a second
        self._finished[1] += line["bad"]

    def budgets(self) -> list[BudgetSoFar]:
        """Tell how budgets on percentiles and on errors stand in the last hold so far."""
        found = [
            BudgetSoFar(
                subject=budget.subject,
                assertion=budget.assertion,
                requests=requests,
                beyond=beyond,
            )
            for budget, (requests, beyond) in zip(self._counted, self._beyond, strict=True)
        ]
        requests, bad = self._finished
        return found + [
            BudgetSoFar(
                subject=budget.subject, assertion=budget.assertion, requests=requests, beyond=bad
            )
            for budget in self._errors
        ]


def _together(lines: Sequence[Line], last: Line) -> Now:
    rate = sum(line["rate"] for line in lines)
    p50s = [(line["p50_ms"], line["rate"]) for line in lines if line["p50_ms"] is not None]
    weight = sum(share for _, share in p50s)
    p95s = [line["p95_ms"] for line in lines if line["p95_ms"] is not None]
    lags = [lag for line in lines for lag in line["loop_lag_us"]]
    return Now(
        t_s=last["t_s"],
        stage=last["stage"],
        phase=last["phase"],
        asked=last["asked"],
        running=sum(line["running"] for line in lines),
        rate=rate,
        p50_ms=sum(p50 * share for p50, share in p50s) / weight if weight else None,
        p95_ms=max(p95s, default=None),
        bad=sum(line["bad"] for line in lines),
        open=sum(line["open"] for line in lines),
        late=sum(line.get("late", 0) for line in lines),
        missed=sum(line.get("missed", 0) for line in lines),
        cpu=max(line["cpu"] for line in lines),
        lag_ms=max(lags) / 1000 if lags else None,
    )
