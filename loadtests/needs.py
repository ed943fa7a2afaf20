"""What each budget of a scenario needs to be decided, and what the scenario gives it.

======================= ====================================== ==============================
metric                  needs                                  gets
======================= ====================================== ==============================
p(N), med, error_ratio, so many independent requests           those of the required hold
apdex(T), avg, max
throughput              right answers enough to show the rate  the same; lower stages are
                                                               held to no floor
availability            seconds                                up to the required stage's end
recovery_time           a disturbance, and calm before it      faults and spikes
drift(series)           bins, and requests in them             the required hold
capacity                a stage as high, judged by budgets     the highest stage
======================= ====================================== ==============================

What can be told before the run that it will be too little stands in capitals; so does that
nobody requests what a budget is about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from analysis.budgets import HOLD_METRICS, TWO_SIDED, requests_to_decide
from analysis.disturbances import Disturbance, disturbances_of, same_load_before, without
from analysis.drift_series import ENOUGH, SHORTEST_HOLD_S, level_of, requests_a_bin
from analysis.faults import FaultSpan
from analysis.quantiles import values_for_a_mean
from analysis.recovery import FEWEST_CALM, SHORTEST_CALM_S
from analysis.throughput import answers_for
from analysis.trend import MIN_BINS
from analysis.windows import availability_window
from scenarios.assertions import RESOURCE_SERIES, Metric, Severity
from scenarios.counting import count_of
from scenarios.expected import expected_requests, is_requested, nearest_request, requests_per_s
from scenarios.model import Budget, Fault, Scenario
from scenarios.schedule import Schedule, plan


def need(scenario: Scenario, budget: Budget) -> str:
    """Say what a budget needs to be decided, and what it gets.

    Parameters
    ----------
    scenario : Scenario
        Any.
    budget : Budget
        One of its.

    Returns
    -------
    str
        A sentence without a capital at its beginning and a stop at its end.
    """
    if not is_requested(scenario, budget.subject):
        near = nearest_request(scenario, budget.subject)
        meant = f" (did you mean {near}?)" if near else ""
        return f"NO STEP OF THE MIX REQUESTS IT{meant}"
    return _NEEDS[budget.assertion.metric](scenario, budget)


def _share(scenario: Scenario, budget: Budget) -> str:
    """Tell of what a share of requests decides: percentiles, errors, Apdex."""
    needed = requests_to_decide(budget.assertion)
    if needed is None:
        words = "one request that is not as it should be breaks it"
        return f"judged by what is seen: {words}{_requests(scenario, budget.subject, 1)}"
    return (
        f"a pass takes at least {count_of(needed, 'request')} in the hold"
        f"{_requests(scenario, budget.subject, needed)}"
    )


def _mean(scenario: Scenario, budget: Budget) -> str:
    needed = values_for_a_mean()
    return (
        f"a decision takes at least {count_of(needed, 'request')} in the hold"
        f"{_requests(scenario, budget.subject, needed)}"
    )


def _maximum(scenario: Scenario, budget: Budget) -> str:
    return (
        "judged by what is seen: one request beyond the limit breaks it"
        f"{_requests(scenario, budget.subject, 1)}"
    )


def _throughput(scenario: Scenario, budget: Budget) -> str:
    _, longest_s = _held_s(scenario)
    needed = answers_for(budget.assertion.limit, longest_s, confidence=TWO_SIDED)
    lower = any(stage.level < scenario.load.required for stage in scenario.load.stages)
    aside = "; lower stages are held to no floor" if lower else ""
    return (
        f"a pass takes at least {count_of(needed, 'right answer')} in a hold of {longest_s:g} s"
        f"{_requests(scenario, budget.subject, needed)}{aside}"
    )


def _availability(scenario: Scenario, budget: Budget) -> str:
    schedule = plan(scenario)
    window = availability_window(schedule, scenario.load.required, schedule.end_s)
    seconds = max(1, round(window[1] - window[0]))
    down = math.floor(seconds * (1 - budget.assertion.limit))
    while down > 0 and not budget.assertion.holds(1 - down / seconds):
        down -= 1
    return (
        "judged second by second up to the end of the required stage: "
        f"of {seconds:,} s {f'at most {down:,}' if down else 'none'} may be down"
    )


def _recovery(scenario: Scenario, budget: Budget) -> str:  # noqa: ARG001 - as every need
    schedule, required = plan(scenario), scenario.load.required
    faults = [_planned(number, fault) for number, fault in enumerate(scenario.faults)]
    disturbed = disturbances_of(schedule, faults, (), required=required, ended_s=schedule.end_s)
    disturbed = [each for each in disturbed if each.level is None or each.level <= required]
    if not disturbed:
        return (
            "a decision takes something to recover from: NEITHER A FAULT NOR A SPIKE is in the "
            "scenario, and without an outage the budget stays undecided"
        )
    told = [
        f"{each.what} at {each.start_s:g} s {_calm(each, disturbed[:place], schedule, scenario)}"
        for place, each in enumerate(disturbed)
    ]
    return (
        f"a decision takes {SHORTEST_CALM_S:g} s and {FEWEST_CALM} requests of the same load "
        f"before each disturbance: {'; '.join(told)}"
    )


def _planned(number: int, fault: Fault) -> FaultSpan:
    return FaultSpan(
        number=number,
        what=fault.kind,
        process=fault.process,
        planned_s=fault.at_s,
        start_s=fault.at_s,
        end_s=fault.at_s + fault.lasts_s,
    )


def _calm(
    each: Disturbance, earlier: list[Disturbance], schedule: Schedule, scenario: Scenario
) -> str:
    """Say how much of the same load comes before a disturbance, others left out."""
    if each.level is None:
        return "comes while the load changes: NOTHING TO COMPARE WITH"
    taken = [(one.since_s, one.end_s or one.since_s) for one in earlier]
    calm = without(same_load_before(schedule, each.level, each.start_s), taken)
    calm_s = sum(end_s - start_s for start_s, end_s in calm)
    rate = requests_per_s(scenario, "all", each.level)
    few = rate is not None and rate * calm_s < FEWEST_CALM
    flag = ": TOO SHORT" if calm_s < SHORTEST_CALM_S else ": TOO FEW" if few else ""
    about = "" if rate is None else f" and {_about(scenario)} {rate * calm_s:,.0f} requests"
    return f"has {calm_s:.3g} s{about}{flag}"


def _drift(scenario: Scenario, budget: Budget) -> str:
    series = budget.assertion.series or ""
    if (series == "connections" and not scenario.load.mix) or (
        series in RESOURCE_SERIES and series != "connections" and scenario.target.app is None
    ):
        return f"a decision takes somebody who sees the {series} of the target: NOBODY DOES"
    shortest_s, longest_s = _held_s(scenario)
    lasts = f"{shortest_s:g} s" if shortest_s == longest_s else f"{shortest_s:g} to {longest_s:g} s"
    short = ": TOO SHORT" if longest_s < SHORTEST_HOLD_S else ""
    words = f"a decision takes a hold of at least {SHORTEST_HOLD_S:g} s, it lasts {lasts}{short}"
    if series in {*RESOURCE_SERIES, "throughput"}:
        return words
    needed = math.ceil(ENOUGH * MIN_BINS) * requests_a_bin(level_of(series))
    gets = _requests(scenario, budget.subject, needed)
    return f"{words}; and at least {count_of(needed, 'request')} in it{gets}"


def _capacity(scenario: Scenario, budget: Budget) -> str:
    highest = max(stage.level for stage in scenario.load.stages)
    limit, named = budget.assertion.limit, scenario.load.named
    low = "" if budget.assertion.holds(highest) else ": TOO LOW"
    words = f"a pass takes a stage of at least {named(limit)} that passes"
    decides = any(
        each.assertion.metric in HOLD_METRICS and each.assertion.severity is Severity.FAIL
        for each in scenario.budgets
    )
    none = "" if decides else "; NO OTHER BUDGET decides whether a stage passes"
    return f"{words}, the highest has {named(highest)}{low}{none}"


def _held_s(scenario: Scenario) -> tuple[float, float]:
    """Length of the required hold in seconds, and what it may be held on to."""
    length_s = plan(scenario).required_span(scenario.load.required).length_s
    return length_s, length_s + scenario.load.extend_s


def _requests(scenario: Scenario, subject: str, needed: int) -> str:
    """Say how many requests the required hold gets, and whether they are too few."""
    expected = expected_requests(scenario, subject)
    if expected is None:
        who = "the locustfile decides" if not scenario.load.mix else "users do not think"
        return f"; how many requests it gets is not known: {who}"
    shortest_s, longest_s = _held_s(scenario)
    most = expected * longest_s / shortest_s
    numbers = f"{expected:,.0f}" + (f" to {most:,.0f}" if most > expected else "")
    few = ": TOO FEW" if most < needed else ""
    return f", {_about(scenario)} {numbers} will be sent{few}"


def _about(scenario: Scenario) -> str:
    """Who waits for an answer does not click; arrivals wait for nobody."""
    return "about" if scenario.load.is_open else "at most about"


_NEEDS: Mapping[Metric, Callable[[Scenario, Budget], str]] = {
    Metric.PERCENTILE: _share,
    Metric.MEDIAN: _share,
    Metric.ERROR_RATIO: _share,
    Metric.APDEX: _share,
    Metric.MEAN: _mean,
    Metric.MAXIMUM: _maximum,
    Metric.THROUGHPUT: _throughput,
    Metric.AVAILABILITY: _availability,
    Metric.RECOVERY_TIME: _recovery,
    Metric.DRIFT: _drift,
    Metric.CAPACITY: _capacity,
}
