"""Budgets over stages: from decisions in holds to one result for each budget.

A budget is passed when it is passed at the required load and failed at none below:
a lower stage can break it, never make it inconclusive. A floor on throughput is the
exception: a lower stage offers less, and cannot be held to it. Availability and recoveries
span the run up to the required stage, capacity all stages.

What the target did is never excused by an invalidity that follows from it: where
requests were sent and none was answered well, the budget has failed, valid or not.
The one exception is silence in a stage in which the harness itself broke down (its
generator was saturated or died, its records were lost): then nobody listened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.availability import Availability
from analysis.budgets import HOLD_METRICS, decide, unanswered
from analysis.capacity import Capacity, capacity_of, judge_capacity
from analysis.decision import Decision, Verdict, together
from analysis.drift_budget import judge_drift
from analysis.estimate import not_estimable
from analysis.reasons import HARNESS
from analysis.recoveries import judge_recovery
from analysis.stability import Stability
from analysis.validity import Validity
from analysis.windows import Hold
from scenarios.assertions import Metric, Severity
from scenarios.model import Budget

OFFERS_LESS = "a lower load offers less: it is shown, and held to no floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDecision:
    """A decision in one stage, and the verdict that validity leaves of it."""

    stage: int
    level: float
    decision: Decision
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetResult:
    """What became of one budget.

    Attributes
    ----------
    budget : Budget
        Subject and assertion.
    verdict : Verdict
        Over all stages that count.
    decision : Decision
        The deciding one.
    stage, level : number or None
        The deciding stage; None where no single stage decides.
    stages : tuple of StageDecision
        In each stage that was run, those above the required load included.
    """

    budget: Budget
    verdict: Verdict
    decision: Decision
    stage: int | None
    level: float | None
    stages: tuple[StageDecision, ...] = ()

    @property
    def gates(self) -> bool:
        """Whether it can fail the run; a warning cannot."""
        return self.budget.assertion.severity is Severity.FAIL

    @property
    def shown(self) -> str:
        """The verdict as reports show it: a broken warning has warned, not failed."""
        warned = self.verdict is Verdict.FAILED and not self.gates
        return "warned" if warned else str(self.verdict)


def judge_in_holds(
    budget: Budget, holds: Sequence[Hold], validity: Validity, *, patience_s: float
) -> BudgetResult:
    """Judge a budget hold by hold, and the holds together.

    Parameters
    ----------
    budget : Budget
        Of one of the metrics that are judged in holds.
    holds : sequence of Hold
        Every stage's.
    validity : Validity
        Of the run.
    patience_s : float
        As :func:`analysis.budgets.decide` takes it.

    Returns
    -------
    BudgetResult
        Naming the deciding stage.
    """
    results = []
    for hold in holds:
        decision = decide(budget.assertion, hold.about(budget.subject), patience_s=patience_s)
        stage, level = hold.window.stage, hold.window.level
        verdict = _left_of(decision, stage, validity)
        dead = decision.unanswered and verdict is Verdict.FAILED
        floor = budget.assertion.metric is Metric.THROUGHPUT
        if floor and level < validity.required and not dead:
            decision, verdict = replace(decision, why=OFFERS_LESS), Verdict.UNJUDGED
        results.append(StageDecision(stage=stage, level=level, decision=decision, verdict=verdict))
    deciding, verdict = _deciding(results, validity.required)
    return BudgetResult(
        budget=budget,
        verdict=verdict,
        decision=deciding.decision,
        stage=deciding.stage,
        level=deciding.level,
        stages=tuple(results),
    )


def _left_of(decision: Decision, stage: int, validity: Validity) -> Verdict:
    codes = {
        reason.code
        for reason in validity.reasons
        if reason.stage in {None, stage} and reason.code != "no_data"
    }
    if decision.unanswered and not (decision.silent and codes & HARNESS):
        return Verdict.FAILED
    return Verdict.INVALID if codes else decision.verdict


def _deciding(results: Sequence[StageDecision], required: float) -> tuple[StageDecision, Verdict]:
    """Pick the stage that decides: the first of the worst."""
    counting = [result for result in results if result.level <= required]
    for found in (
        [r for r in counting if r.verdict is Verdict.FAILED and r.decision.unanswered],
        [r for r in counting if r.verdict is Verdict.INVALID],
        [r for r in counting if r.verdict is Verdict.FAILED],
    ):
        if found:
            return found[0], found[0].verdict
    at_required = [result for result in counting if result.level == required]
    verdict = together(result.verdict for result in at_required)
    return next(result for result in reversed(at_required) if result.verdict is verdict), verdict


def judge_availability(
    budget: Budget, seen: Availability | None, holds: Sequence[Hold], validity: Validity
) -> BudgetResult:
    """Judge an availability budget over the run up to the required stage.

    Parameters
    ----------
    budget : Budget
        Of the metric availability.
    seen : Availability or None
        Of the budget's subject; None when the run ended before anything was judged.
    holds : sequence of Hold
        Every stage's.
    validity : Validity
        Of the run.

    Returns
    -------
    BudgetResult
        Failed at the stage of the first outage; never passed when the required stage
        was not run to its end.
    """
    counting = [hold.window for hold in holds if hold.window.level <= validity.required]
    last = counting[-1]
    stage = last
    estimate = seen.estimate if seen is not None else None
    if estimate is None or estimate.value is None:
        why = (estimate.why if estimate else None) or "the run ended before anything was judged"
        measured = estimate or not_estimable(why, unit="ratio")
        decision = Decision(verdict=Verdict.INCONCLUSIVE, measured=measured, why=why)
    elif not budget.assertion.holds(estimate.value):
        outages = seen.outages if seen is not None else ()
        if outages:
            began = outages[0].start_s
            stage = next((w for w in counting if began < w.planned_end_s), last)
        decision = Decision(
            verdict=Verdict.FAILED,
            measured=estimate,
            why="; ".join(
                f"down from {o.start_s:.3g} s to {o.end_s:.3g} s{' (open)' if o.open else ''}"
                for o in outages[:5]
            ),
        )
    elif all(w.complete for w in counting if w.level == validity.required):
        decision = Decision(verdict=Verdict.PASSED, measured=estimate)
    else:
        why = "the run did not complete its required stage"
        decision = Decision(verdict=Verdict.INCONCLUSIVE, measured=estimate, why=why)
    return BudgetResult(
        budget=budget,
        verdict=Verdict.INVALID if validity.broken else decision.verdict,
        decision=decision,
        stage=stage.stage,
        level=stage.level,
    )


def stage_verdicts(results: Sequence[BudgetResult], holds: Sequence[Hold]) -> dict[int, Verdict]:
    """Combine the budgets that are judged in holds, stage by stage.

    Parameters
    ----------
    results : sequence of BudgetResult
        Of :func:`judge_in_holds`; warnings do not count.
    holds : sequence of Hold
        Every stage's.

    Returns
    -------
    dict of int to Verdict
        By stage; unjudged where the stage was not run or nothing is judged in holds.
    """
    gating = [result for result in results if result.gates]
    verdicts = {}
    for hold in holds:
        stage = hold.window.stage
        found = [s for result in gating for s in result.stages if s.stage == stage]
        verdict = together(s.verdict for s in found)
        if any(s.verdict is Verdict.FAILED and s.decision.unanswered for s in found):
            verdict = Verdict.FAILED
        verdicts[stage] = verdict if hold.window.was_run else Verdict.UNJUDGED
    return verdicts


def judge_all(
    budgets: Sequence[Budget],
    holds: Sequence[Hold],
    validity: Validity,
    stability: Stability,
    *,
    patience_s: float,
) -> tuple[list[BudgetResult], dict[int, Verdict], Capacity]:
    """Judge every budget.

    Parameters
    ----------
    budgets : sequence of Budget
        In the order in which they are reported.
    holds : sequence of Hold
        Every stage's.
    validity : Validity
        Of the run.
    stability : Stability
        Of the run.
    patience_s : float
        As :func:`analysis.budgets.decide` takes it.

    Returns
    -------
    tuple of (list of BudgetResult, dict of int to Verdict, Capacity)
        The results in the order of the budgets, the stages' verdicts, the capacity.
    """
    results: dict[int, BudgetResult] = {}
    for index, budget in enumerate(budgets):
        metric = budget.assertion.metric
        if metric in HOLD_METRICS:
            results[index] = judge_in_holds(budget, holds, validity, patience_s=patience_s)
        elif metric is Metric.AVAILABILITY:
            seen = stability.up[budget.subject]
            results[index] = judge_availability(budget, seen, holds, validity)
    verdicts = stage_verdicts(list(results.values()), holds)
    capacity = capacity_of(verdicts, holds)
    for index, budget in enumerate(budgets):
        if index not in results:
            results[index] = (
                _over_a_hold(budget, stability, holds, validity)
                if budget.assertion.metric is Metric.DRIFT
                else _the_rest(budget, capacity, stability, validity)
            )
    return [results[index] for index in range(len(budgets))], verdicts, capacity


def _the_rest(
    budget: Budget, capacity: Capacity, stability: Stability, validity: Validity
) -> BudgetResult:
    """Judge a capacity, whose stages are each valid or not, or what spans the run: a recovery."""
    if budget.assertion.metric is Metric.CAPACITY:
        decision = judge_capacity(budget.assertion, capacity)
        invalid = any(reason.stage is None for reason in validity.broken)
    else:
        decision = judge_recovery(budget.assertion, stability.recoveries)
        invalid = bool(validity.broken)
    verdict = Verdict.INVALID if invalid else decision.verdict
    return BudgetResult(budget=budget, verdict=verdict, decision=decision, stage=None, level=None)


def _over_a_hold(
    budget: Budget, stability: Stability, holds: Sequence[Hold], validity: Validity
) -> BudgetResult:
    """Judge a drift: of the required stage, and passed only where that was run to its end."""
    window = next(h.window for h in reversed(holds) if h.window.level == validity.required)
    decision = judge_drift(budget.assertion, budget.subject, stability.drifts)
    if decision.verdict is Verdict.PASSED and not window.complete:
        why = "the run did not complete its required stage"
        decision = replace(decision, verdict=Verdict.INCONCLUSIVE, why=why)
    return BudgetResult(
        budget=budget,
        verdict=_left_of(decision, window.stage, validity),
        decision=decision,
        stage=window.stage,
        level=window.level,
    )


def unanswered_anywhere(
    holds: Sequence[Hold], validity: Validity, *, patience_s: float
) -> StageDecision | None:
    """Find a hold up to the required load in which requests were sent and none answered well.

    It fails the run whatever the budgets say, also where there are none.

    Parameters
    ----------
    holds : sequence of Hold
        Every stage's.
    validity : Validity
        Of the run.
    patience_s : float
        As :func:`analysis.budgets.decide` takes it.

    Returns
    -------
    StageDecision or None
        The first such stage.
    """
    for hold in holds:
        if hold.window.level > validity.required:
            continue
        decision = unanswered(hold, patience_s=patience_s)
        if decision is not None and _left_of(decision, hold.window.stage, validity) is (
            Verdict.FAILED
        ):
            return StageDecision(
                stage=hold.window.stage,
                level=hold.window.level,
                decision=decision,
                verdict=Verdict.FAILED,
            )
    return None
