"""Runs a search for the capacity: a run for each level, and a file that grows with them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analysis.budgets import CONFIDENCE
from analysis.capacity_evidence import Pooled, judged_at_a_level, pool
from analysis.capacity_levels import Found, SearchPlan, Step
from analysis.capacity_search import Search
from analysis.decision import Verdict
from loadtests.duration import longest_run_s
from loadtests.sweep import note_member
from scenarios.assertions import Severity
from scenarios.counting import count_of
from scenarios.errors import ExitCode, TrueloadError, UsageError
from scenarios.model import Scenario, Stage
from scenarios.units import how_long

RunLevel = Callable[[Mapping[str, Any]], tuple[Path, dict[str, Any]]]
"""Runs and judges the scenario with some settings; gives its folder and verdict."""

HIGH = 64.0
"""The highest load that is tried, as a multiple of the first, where nothing is said."""


@dataclass(slots=True, kw_only=True)
class Campaign:
    """A search that goes on.

    Parameters
    ----------
    scenario : Scenario
        Whose capacity is searched for.
    plan : SearchPlan
        The levels.
    hold_s : float
        How long the first run at a level holds, in seconds.
    parent : Path
        Folder that gets the runs, and the file of the search.
    clock : callable
        Gives seconds.
    """

    scenario: Scenario
    plan: SearchPlan
    hold_s: float
    parent: Path
    clock: Callable[[], float] = time.monotonic
    group: str = field(default_factory=lambda: secrets.token_hex(3))
    search: Search = field(init=False)
    runs: list[dict[str, Any]] = field(default_factory=list)
    verdicts: dict[float, list[dict[str, Any]]] = field(default_factory=dict)
    pooled: dict[float, Pooled] = field(default_factory=dict)
    interrupted: bool = False
    error: TrueloadError | None = None
    _began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.search = Search(self.plan)
        self._began_s = self.clock()

    @property
    def path(self) -> Path:
        """The file of the search."""
        return self.parent / f"group_{self.group}.json"

    def run(self, run_level: RunLevel, *, say: Callable[[str], None]) -> Found:
        """Search, run by run; the file is written after each.

        Parameters
        ----------
        run_level : callable
            Runs and judges the scenario at a level.
        say : callable
            Told what is run next, and what came of it.

        Returns
        -------
        Found
            As far as the search came: an interrupt ends it.
        """
        while (step := self.search.step()) is not None and not self.interrupted:
            number = len(self.runs) + 1
            say(f"run {number}: {self._words(step)}")
            settings = level_settings(
                self.scenario, step.level, hold_s=self.hold_s * step.holds, number=number
            )
            folder, verdict = run_level(settings)
            note_member(folder, group=self.group, sequence=number, settings=settings)
            self.interrupted = verdict["exit_code"] == ExitCode.INTERRUPTED
            if not self.interrupted:
                say(f"  {self._note(step, verdict)}")
            self.runs.append(
                {
                    "run": verdict["run"],
                    "level": step.level,
                    "look": step.look,
                    "why": step.why,
                    "hold_s": self.hold_s * step.holds,
                    "held_s": _held_s(verdict),
                    "verdict": verdict["verdict"],
                }
            )
            self.write()
        return self.search.found()

    def _note(self, step: Step, verdict: dict[str, Any]) -> str:
        """Pool a run with the others at its level, tell the search, and say it in words."""
        if verdict["verdict"] == Verdict.INVALID:
            self.search.note(Verdict.INVALID)
            return f"invalid: {verdict['why']}"
        its = self.verdicts.setdefault(step.level, [])
        its.append(verdict)
        pooled = self.pooled[step.level] = pool(its, looks=self.plan.looks)
        nearest = pooled.nearest
        weight = 0.0 if nearest is None or nearest.share is None else nearest.share.n_eff or 0.0
        lean = None if nearest is None else nearest.lean
        self.search.note(pooled.verdict, lean=lean, weight=weight)
        return _said(pooled)

    def _words(self, step: Step) -> str:
        again = {"confirm": ", to confirm it", "repeat": f", look {step.look}"}.get(step.why, "")
        return f"{self.scenario.load.named(step.level)} for {self.hold_s * step.holds:g} s{again}"

    def _ending(self, found: Found) -> str:
        if self.interrupted:
            return "interrupted"
        return "error" if self.error is not None else str(found.ending)

    def document(self) -> dict[str, Any]:
        """Give everything that is known of the search.

        Returns
        -------
        dict
            What the file holds.
        """
        found, unit = self.search.found(), self.scenario.load.unit
        return {
            "format": 1,
            "kind": "capacity",
            "group": self.group,
            "scenario": self.scenario.name,
            "unit": unit,
            "ending": self._ending(found),
            "error": _error_words(self.error),
            "left_aside": left_aside(self.scenario),
            "capacity": found.capacity(unit).as_dict(),
            "estimate": found.estimate,
            "width": found.width,
            "confirmed": found.confirmed,
            "undecided": list(found.undecided),
            "not_monotone": [list(pair) for pair in found.not_monotone],
            "plan": {
                "low": self.plan.low,
                "high": self.plan.high,
                "width": self.plan.width,
                "repetitions": self.plan.repetitions,
                "factor": self.plan.factor,
                "hold_s": self.hold_s,
                "error_per_look": (1 - CONFIDENCE) / self.plan.looks,
            },
            "took_s": self.clock() - self._began_s,
            "held_s": sum(run["held_s"] for run in self.runs),
            "levels": [
                {
                    "level": load,
                    "verdict": str(level.verdict),
                    "runs": level.runs,
                    "confirmed": level.confirmed,
                    "why": self.pooled[load].why,
                    "budgets": [budget.as_dict() for budget in self.pooled[load].budgets],
                }
                for load, level in sorted(self.search.levels.items())
            ],
            "runs": self.runs,
        }

    def write(self) -> dict[str, Any]:
        """Write the file: beside it first, so that it is whole at any moment.

        Returns
        -------
        dict
            What it holds.
        """
        document = self.document()
        self.parent.mkdir(parents=True, exist_ok=True)  # an interrupt may come before any run
        beside = self.path.with_suffix(".json.part")
        text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
        beside.write_text(text + "\n", encoding="utf-8")
        beside.rename(self.path)
        return document


def _error_words(error: TrueloadError | None) -> dict[str, Any] | None:
    return None if error is None else {"message": error.message, "hint": error.hint}


def _held_s(verdict: Mapping[str, Any]) -> float:
    """Tell how long a run of one level was held: less than planned where it was cut short."""
    began_s, ended_s = verdict["stages"][0]["hold"]
    return float(ended_s - began_s)


def _said(pooled: Pooled) -> str:
    """Say a verdict on a level, and what decides it."""
    budget = pooled.deciding
    if budget is None:
        return f"{pooled.verdict}: {pooled.why}"
    share, allowed = budget.share, budget.allowed
    if share is None or share.value is None or allowed is None:
        return f"{pooled.verdict}: {budget.subject}: {budget.assertion}"
    return (
        f"{pooled.verdict}: {budget.subject}: {budget.assertion}: {share.value:.2%} of requests "
        f"beyond it ({share.low:.2%} to {share.high:.2%}), {allowed:.2%} are allowed"
    )


def level_settings(
    scenario: Scenario, level: float, *, hold_s: float, number: int
) -> dict[str, Any]:
    """Say what makes a run of one level out of a scenario.

    Parameters
    ----------
    scenario : Scenario
        As it was loaded.
    level : float
        Users, or arrivals per second.
    hold_s : float
        How long it holds, in seconds.
    number : int
        Which run of the search it is, from 1: each has chances of its own.

    Returns
    -------
    dict of str to object
        By dotted key.
    """
    load = scenario.load
    ramp_s = max(stage.ramp_s for stage in load.stages)
    one = {"rate": level} if load.is_open else {"users": round(level)}
    stage = {**one, "hold": f"{hold_s:g}s", "ramp": f"{ramp_s:g}s"}
    return {
        "load.stages": [stage],
        "load.required": level if load.is_open else round(level),
        "load.extend": "0s",  # looks are counted; a hold that is prolonged would be one more
        "load.seed": (scenario.load_seed + number) % 2**32,
    }


def check(scenario: Scenario) -> None:
    """Refuse what cannot be searched.

    Parameters
    ----------
    scenario : Scenario
        As it was loaded.

    Raises
    ------
    UsageError
        When no budget can fail a run in a hold, or the scenario has faults.
    """
    if not any(judged_at_a_level(budget) for budget in scenario.budgets if not budget.implied):
        raise UsageError(
            f"{scenario.source}: found no budget that can fail at a load; allowed: at least one "
            "on latency, errors, Apdex or availability that is no warning",
            hint="add one: --set 'budgets.all=[\"p(95) < 200ms\"]'",
        )
    if scenario.faults:
        raise UsageError(
            f"{scenario.source}: found faults; allowed: none, for they would be taken for the load",
            hint="search without them: --set faults=[]",
        )


def left_aside(scenario: Scenario) -> list[str]:
    """Name the budgets that could fail a run and have no say in a search.

    Parameters
    ----------
    scenario : Scenario
        As it was loaded.

    Returns
    -------
    list of str
        As in ``"all: throughput > 90/s"``.
    """
    return [
        f"{budget.subject}: {budget.assertion.text}"
        for budget in scenario.budgets
        if budget.assertion.severity is Severity.FAIL and not judged_at_a_level(budget)
    ]


def default_hold_s(stages: tuple[Stage, ...]) -> float:
    """Choose how long the first run at a level holds: as the shortest stage does."""
    return min(stage.hold_s for stage in stages)


def search_words(scenario: Scenario, search: SearchPlan, hold_s: float) -> str:
    """Say how long a search for the capacity may take.

    Parameters
    ----------
    scenario : Scenario
        Whose capacity is searched for.
    search : SearchPlan
        The levels, and how often they are run.
    hold_s : float
        How long the first run at a level holds, in seconds.

    Returns
    -------
    str
        For example ``"at most 40 runs of 50 s to 2.1 min: about 1.1 h if all are needed"``.
    """
    holds = [*(2**look for look in range(search.repetitions)), 2 ** (search.repetitions - 1)]
    each_s = [longest_run_s(_at_one_level(scenario, search.high, hold_s * n)) for n in holds]
    all_s = sum(each_s[run % len(each_s)] for run in range(search.most_runs))
    lengths = " to ".join(
        dict.fromkeys(how_long(seconds) for seconds in (min(each_s), max(each_s)))
    )
    return (
        f"at most {count_of(search.most_runs, 'run')} of {lengths}: "
        f"about {how_long(all_s)} if all are needed"
    )


def _at_one_level(scenario: Scenario, level: float, hold_s: float) -> Scenario:
    ramp_s = max(stage.ramp_s for stage in scenario.load.stages)
    stages = (Stage(level=level, hold_s=hold_s, ramp_s=ramp_s),)
    return replace(
        scenario, load=replace(scenario.load, stages=stages, required=level, extend_s=0.0)
    )
