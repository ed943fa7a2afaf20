"""Little's law as a check of the whole measurement: N users are either waiting or thinking."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.reasons import Finding, Reason
from analysis.transactions import first_requests
from analysis.windows import Hold, columns_of, open_until_s
from scenarios.mix import mean_think_s
from scenarios.model import Scenario

TOLERANCE = 0.10
SIGMAS = 4.0
"""The sum of n equal exponential think times strays by 1 / sqrt(n): four of these are allowed."""

CYCLES = 3.0
"""A hold must last so many cycles of thinking and waiting; else its borders weigh too much."""


def is_assessable(scenario: Scenario) -> bool:
    """Tell whether the law says anything of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What was run.

    Returns
    -------
    bool
        False for arrivals, which do not depend on how many users wait or think, and for
        a locustfile, whose think times nobody knows.
    """
    return not scenario.load.is_open and scenario.load.locustfile is None


def littles_law(scenario: Scenario, hold: Hold) -> Finding:
    """Hold users x time against time in flight plus planned think time.

    Time in flight is the overlap of [intended, end] of every request with the hold,
    open ones included: N = X (R + Z) without the bias of those that never ended.

    Parameters
    ----------
    scenario : Scenario
        For the personas' think times.
    hold : Hold
        A stage's hold that was run.

    Returns
    -------
    Finding
        ``littles_law`` when they differ by more than 10 %, and by more than four sigmas of
        the sum of so many exponential think times (4 / sqrt(clicks) where all have one
        mean, and nothing where nobody thinks); a note where it cannot be assessed in this
        hold, nothing where it never can.

    References
    ----------
    J. D. C. Little, "A Proof for the Queuing Formula: L = lambda W", 1961.
    """
    window = hold.window
    if not is_assessable(scenario):
        return Finding()
    user_time_s = window.level * window.length_s
    opened = hold.opened("intended_s", "end_s", "outcome")
    start = np.maximum(opened["intended_s"].to_numpy(dtype=float), window.start_s)
    in_flight_s = float((np.minimum(open_until_s(opened), window.end_s) - start).sum())
    clicks, thoughts_s = _thinking(scenario, hold)
    if thoughts_s is None:
        return _unassessed(hold, "some requests name no persona whose think time is known")
    think_s = float(thoughts_s.sum())
    if clicks == 0 or window.length_s < CYCLES * (think_s + in_flight_s) / clicks:
        cycle = f"{(think_s + in_flight_s) / clicks:.3g} s" if clicks else "endless"
        return _unassessed(hold, f"the hold is shorter than three cycles of a user ({cycle})")
    off = abs(in_flight_s + think_s - user_time_s) / user_time_s
    chance = SIGMAS * math.sqrt(float((thoughts_s**2).sum())) / think_s if think_s > 0 else 0.0
    limit = max(TOLERANCE, chance)
    if off <= limit:
        return Finding()
    users = (in_flight_s + think_s) / window.length_s
    message = (
        f"stage {window.stage + 1}: {window.named} were asked for, but requests and planned "
        f"think times account for {users:.4g} (Little's law, {off:.0%} off; allowed: {limit:.0%})"
    )
    return Finding(
        reasons=(
            Reason(
                code="littles_law",
                stage=window.stage,
                message=message,
                measured=off,
                limit=limit,
                advice="look in generator.log: users were missing, slow, or not recorded",
            ),
        )
    )


def _thinking(scenario: Scenario, hold: Hold) -> tuple[int, npt.NDArray[np.float64] | None]:
    """Count the clicks that began in the hold, and plan the think time before each in seconds.

    A click whose step nobody wrote down is one of the persona's on average.
    """
    samples = hold.samples.iloc[hold.carried :]
    samples = columns_of(samples, "process", "transaction", "step", "persona", "click")
    known = samples["transaction"].notna().to_numpy()
    samples = samples if known.all() else samples[known]
    first = columns_of(samples, "persona", "click").iloc[first_requests(samples)]
    counted = first.groupby(["persona", "click"], dropna=False, observed=True).size()
    planned = [
        _planned_s(scenario, *(None if pd.isna(word) else str(word) for word in kind))
        for kind in counted.index
    ]
    if None in planned:
        return len(first), None
    each_s = np.repeat(np.array(planned, dtype=float), counted.to_numpy())
    return len(first), each_s * scenario.load.think_scale


def _planned_s(scenario: Scenario, name: str | None, click: str | None) -> float | None:
    persona = scenario.personas.get(name or "")
    if persona is None:
        return None
    if click is None or click not in persona.steps:
        return mean_think_s(persona)
    return persona.think_before_s(click)


def _unassessed(hold: Hold, why: str) -> Finding:
    window = hold.window
    where = f"stage {window.stage + 1} ({window.named})"
    return Finding(notes=(f"{where}: Little's law was not assessed: {why}",))
