"""The mix that was achieved, held against the one that was intended.

In the closed model a slow operation thins out the clicks of whoever waits for it: the
load is then another one than the scenario describes, and no status tells. How far shares
of clicks stray by chance is known from the journeys: sessions are independent, so that
the variance of what a user does in a long time is that of one session of its Markov chain.

References
----------
S. Asmussen, "Applied Probability and Queues", 2003, theorem VI.3.2 (regenerative
processes); J. G. Kemeny, J. L. Snell, "Finite Markov Chains", 1960, chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.estimate import Estimate, not_estimable
from analysis.windows import Window
from scenarios.mix import Click, intended_mix, transitions, visits
from scenarios.model import Scenario
from scenarios.personas import THINK_CUT, Persona

LEVEL = 0.95

NOTED_PP = 1.0
"""A difference of so many percentage points is worth a note, where it is more than chance."""

_BY_CHANCE = 0.001
"""At most in so many runs a note is chance's work, over all kinds of clicks together."""

_LEAST_EXPECTED = 5
METHOD = "share; sessions of the journey's Markov chain"
METHOD_OPEN = "share; independent draws"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of one kind of click.

    Attributes
    ----------
    persona, click : str
        Which kind.
    count, of : int
        Such clicks, and all.
    intended : float
        The share that the scenario intends.
    variance : float
        Of the share, were the intended one true, times the number of all clicks.
    method : str
        How that is known.
    """

    persona: str
    click: str
    count: int
    of: int
    intended: float
    variance: float
    method: str

    @property
    def achieved(self) -> float:
        """The share that was achieved."""
        return self.count / self.of

    @property
    def difference_pp(self) -> float:
        """Achieved less intended, in percentage points."""
        return 100 * (self.achieved - self.intended)

    def strays(self, kinds: int) -> bool:
        """Tell whether it differs by more than chance, and by enough to matter.

        Parameters
        ----------
        kinds : int
            Of clicks that are looked at together (Bonferroni).

        Returns
        -------
        bool
            False, too, where too few were expected to tell.
        """
        if self.of * self.intended < _LEAST_EXPECTED:
            return False
        sigmas = NormalDist().inv_cdf(1 - _BY_CHANCE / (2 * kinds))
        by_chance_pp = 100 * sigmas * math.sqrt(self.variance / self.of)
        return abs(self.difference_pp) > max(by_chance_pp, NOTED_PP)

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does."""
        return {
            "persona": self.persona,
            "click": self.click,
            "count": self.count,
            "intended": self.intended,
            "achieved": self._estimate().as_dict(),
            "difference_pp": self.difference_pp if self.of else None,
        }

    def _estimate(self) -> Estimate:
        if not self.of:
            return not_estimable("no click was sent", unit="ratio", method=self.method)
        half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(self.variance / self.of)
        return Estimate(
            value=self.achieved,
            low=max(self.achieved - half, 0.0),
            high=min(self.achieved + half, 1.0),
            level=LEVEL,
            n=self.of,
            unit="ratio",
            method=self.method,
        )


def achieved_mix(scenario: Scenario, clicks: pd.DataFrame, window: Window) -> tuple[Share, ...]:
    """Compare the clicks that were sent in a hold with those that were intended.

    In the closed model the intended mix is that of the users as they are shared out in
    whole numbers, at low load; in the open one that of the arrivals.

    Parameters
    ----------
    scenario : Scenario
        With a mix; else nothing is intended.
    clicks : DataFrame
        All clicks of the run, as :func:`analysis.transactions.clicks_of` gives them.
    window : Window
        The hold.

    Returns
    -------
    tuple of Share
        One a kind of click that is intended, in the order of the mix; empty without clicks.
    """
    load, personas = scenario.load, scenario.personas
    intended_s = clicks["intended_s"].to_numpy(dtype=float)
    inside = (intended_s >= window.start_s) & (intended_s < window.end_s)
    sent = clicks[inside & (clicks["requests"] > 0).to_numpy()]
    if not load.mix or not len(sent):
        return ()
    counts = sent.groupby(["persona", "click"]).size().to_dict()
    if load.is_open:
        shares = intended_mix(personas, load.mix)
        variance = {kind: share * (1 - share) for kind, share in shares.items()}
        method = METHOD_OPEN
    else:
        users = shared_out(load.mix, round(window.level), _seen(clicks, window))
        shares, variance = intended_mix(personas, users), spread(personas, users)
        method = METHOD
    return tuple(
        Share(
            persona=persona,
            click=click,
            count=int(counts.get((persona, click), 0)),
            of=len(sent),
            intended=share,
            variance=variance[persona, click],
            method=method,
        )
        for (persona, click), share in shares.items()
    )


def note(shares: tuple[Share, ...], window: Window, *, is_open: bool) -> str | None:
    """Say so when a mix is another one than intended.

    Parameters
    ----------
    shares : tuple of Share
        As :func:`achieved_mix` gives them.
    window : Window
        Of which hold.
    is_open : bool
        Whether arrivals were asked for.

    Returns
    -------
    str or None
        None when the mix is the intended one, as far as chance lets tell.
    """
    stray = [share for share in shares if share.strays(len(shares))]
    if not stray:
        return None
    worst = max(stray, key=lambda share: abs(share.difference_pp))
    more = f", and {len(stray) - 1} more" if len(stray) > 1 else ""
    cause = (
        "arrivals that were missed were not of all kinds alike"
        if is_open
        else "where answers take long beside think times, whoever waits for them clicks less"
    )
    return (
        f"stage {window.stage + 1} ({window.named}): the mix of clicks is not the intended one: "
        f"{worst.achieved:.1%} of {worst.of:,} were {worst.click} of {worst.persona}, "
        f"intended: {worst.intended:.1%}{more}; {cause}"
    )


def _seen(clicks: pd.DataFrame, window: Window) -> dict[str, int]:
    """Count the virtual users of each persona that clicked in a hold or were open in it."""
    there = clicks["open_until_s"].to_numpy(dtype=float) > window.start_s
    there &= (clicks["intended_s"] < window.end_s).to_numpy()
    users = clicks[there & (clicks["requests"] > 0).to_numpy()]
    users = users[["persona", "process", "user"]].drop_duplicates()
    return {str(name): int(count) for name, count in users["persona"].value_counts().items()}


def shared_out(mix: Mapping[str, float], users: int, seen: Mapping[str, int]) -> dict[str, float]:
    """Tell how many virtual users of each persona there are, in whole numbers.

    The engine gives each persona its share, rounded up or down. Up, where so many were
    seen; who else it was is not known, and taken to be whom most is missing of.

    Parameters
    ----------
    mix : mapping of str to float
        Weights.
    users : int
        All of them.
    seen : mapping of str to int
        Users of each persona that clicked, some of whom may have been leaving.

    Returns
    -------
    dict of str to float
        By persona; they add up to `users`, or to some more where many were leaving.
    """
    total = sum(mix.values())
    exact = {name: users * weight / total for name, weight in mix.items()}
    whole = {
        name: min(max(math.floor(share), seen.get(name, 0)), math.ceil(share))
        for name, share in exact.items()
    }
    for _ in range(users - sum(whole.values())):
        most = max(whole, key=lambda name: exact[name] - whole[name])
        whole[most] += 1
    return {name: float(count) for name, count in whole.items()}


def spread(personas: Mapping[str, Persona], users: Mapping[str, float]) -> dict[Click, float]:
    """How far the shares of clicks of some users stray by chance, at low load.

    The clicks of a user form independent sessions. For a share p of clicks of kind j, a
    session with the steps X and the think times T adds up S = sum (1[X = j] - p) -
    lambda sum T, with lambda such that its mean is zero; the variance of the share is the
    sum of Var(S) / mean session over the users, over rate^2 and the time.

    Parameters
    ----------
    personas : mapping of str to Persona
        Those that `users` names.
    users : mapping of str to float
        How many there are of each.

    Returns
    -------
    dict of (str, str) to float
        For each kind of click, the variance of its share times the number of all clicks:
        p (1 - p) if clicks were drawn one by one.
    """
    shares = intended_mix(personas, users)
    chains = {name: Sessions(personas[name]) for name in users}
    rate = sum(count * chains[name].clicks_per_s for name, count in users.items())
    found = {}
    for (persona, click), share in shares.items():
        strayed = 0.0
        for name, count in users.items():
            chain = chains[name]
            scored = np.full(len(chain.steps), -share)
            if name == persona:
                scored[chain.steps.index(click)] += 1
            strayed += count * chain.variance_per_s(scored)
        found[persona, click] = strayed / rate
    return found


_KEPT = -math.expm1(-THINK_CUT)
_MEAN = 1 - THINK_CUT * math.exp(-THINK_CUT) / _KEPT
_SQUARE = (2 - math.exp(-THINK_CUT) * (THINK_CUT**2 + 2 * THINK_CUT + 2)) / _KEPT
_VARIANCE_OVER_SQUARED_MEAN = (_SQUARE - _MEAN**2) / _MEAN**2
"""Of an exponential that is cut: 1 without the cut."""


class Sessions:
    """The sessions of a persona, as an absorbing Markov chain with think times.

    Parameters
    ----------
    persona : Persona
        With its journey.

    Attributes
    ----------
    steps : list of str
        In the order of the arrays.
    session_s : float
        Mean time of a session, of which answers take nothing.
    clicks_per_s : float
        Of one user, while it thinks.
    """

    def __init__(self, persona: Persona) -> None:
        self.steps = list(persona.steps)
        rows = [transitions(persona, step) for step in self.steps]
        self.transitions = np.array([[row.get(to, 0.0) for to in self.steps] for row in rows])
        counted = visits(persona)
        self.visits = np.array([counted[step] for step in self.steps])
        self.think_s = np.array([persona.think_before_s(step) for step in self.steps])
        self.session_s = float(self.visits @ self.think_s)
        self.clicks_per_s = float(self.visits.sum()) / self.session_s

    def variance_per_s(self, scored: Floats) -> float:
        """Variance of what one user's clicks score in a time, over that time.

        Parameters
        ----------
        scored : ndarray, shape (steps,)
            What a click of each kind scores.

        Returns
        -------
        float
            Per second of thinking, in the long run.
        """
        per_s = float(self.visits @ scored) / self.session_s
        centred = scored - per_s * self.think_s
        ahead = np.linalg.solve(np.eye(len(self.steps)) - self.transitions, centred)
        along = float(self.visits @ (centred * (centred + 2 * self.transitions @ ahead)))
        thought = per_s**2 * _VARIANCE_OVER_SQUARED_MEAN * float(self.visits @ self.think_s**2)
        return (along + thought) / self.session_s
