"""Capacity as far as one run saw it: the loads between which the limit lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.decision import Decision, Verdict, together
from analysis.estimate import Estimate, not_estimable
from analysis.windows import Hold
from scenarios.assertions import Assertion
from scenarios.model import named


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The loads between which the limit lies, as far as this run saw.

    Attributes
    ----------
    last_pass : number or None
        The highest load that passed, in all its stages, with no failed one at or below it.
    first_fail : number or None
        The lowest load that failed.
    unit : str
        What loads count: ``"users"`` or ``"arrivals/s"``.
    """

    last_pass: float | None
    first_fail: float | None
    unit: str = "users"

    def as_dict(self) -> dict[str, float | None]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Both loads.
        """
        return {"last_pass": self.last_pass, "first_fail": self.first_fail}

    def estimate(self) -> Estimate:
        """Give the load that is known to be carried, with the interval of the limit.

        Returns
        -------
        Estimate
            In users, or arrivals per second.
        """
        if self.last_pass is None:
            return not_estimable(
                "no stage passed", unit=self.unit, method="highest load that passed"
            )
        last, first = float(self.last_pass), self.first_fail
        return Estimate(
            value=last,
            low=last,
            high=None if first is None else float(first),
            level=None,
            n=1,
            unit=self.unit,
            method="highest load that passed, up to the lowest that failed",
            why="no stage failed: the limit lies higher" if first is None else None,
        )


def capacity_of(verdicts: dict[int, Verdict], holds: Sequence[Hold]) -> Capacity:
    """Find the loads between which the limit lies.

    Parameters
    ----------
    verdicts : dict of int to Verdict
        By stage.
    holds : sequence of Hold
        Every stage's; all of them count, also above the required load.

    Returns
    -------
    Capacity
        A load that both passed and failed has failed; one that passed and was undecided, or
        not valid, in another of its stages has not passed.
    """
    found: dict[float, list[Verdict]] = {}
    for hold in holds:
        if hold.window.stage in verdicts:
            found.setdefault(hold.window.level, []).append(verdicts[hold.window.stage])
    first_fail = min((load for load, said in found.items() if Verdict.FAILED in said), default=None)
    passed = [
        load
        for load, said in found.items()
        if together(said) is Verdict.PASSED and (first_fail is None or load < first_fail)
    ]
    unit = holds[0].window.unit if holds else "users"
    return Capacity(last_pass=max(passed, default=None), first_fail=first_fail, unit=unit)


def judge_capacity(assertion: Assertion, capacity: Capacity) -> Decision:
    """Decide a capacity: passed by a load that passed, failed by one that did not.

    Parameters
    ----------
    assertion : Assertion
        Of the metric capacity.
    capacity : Capacity
        Of all stages.

    Returns
    -------
    Decision
        Inconclusive where the run did not go as high, or no budget was decided there.
    """
    measured = capacity.estimate()
    last, first = capacity.last_pass, capacity.first_fail
    if last is not None and assertion.holds(last):
        return Decision(verdict=Verdict.PASSED, measured=measured)
    if first is not None and first <= assertion.limit:
        why = f"a load of {named(first, capacity.unit)} was not carried"
        return Decision(verdict=Verdict.FAILED, measured=measured, why=why)
    why = "no stage decided it: every stage's budgets passed or were undecided below that load"
    return Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
