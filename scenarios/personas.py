"""Who the virtual users are: think times and journeys, as data.

A persona goes through its clicks as a Markov chain::

                ┌──────────────┐
     start ───> │ step ⇄ step  │ ───> end ───> start, as somebody new
                └──────────────┘

``start`` begins a session and ``end`` ends it: the same account begins another one,
without cookies and without a memory. Before each click somebody thinks: a truncated
exponential of mean Z times the step's own factor (filling in a form takes longer
than choosing a link), cut at ten times its mean (TPC-W 5.3.1.1 cuts likewise); the
very first one is uniform on (0, 2 Z), so that users do not start in step.

The personas themselves are files in ``journeys/``; a scenario may change them
(:mod:`scenarios.persona_fields`). What they come to on average: :mod:`scenarios.mix`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

THINK_CUT = 10.0
"""A think time is cut at this many times its mean."""

START, END = "start", "end"
"""Where a session comes from, and where it goes."""

ROLES = ("sales", "support", "marketing", "manager", "portal")
"""Of the CRM's accounts: one of them is a persona's."""

_CUT_MEAN = 1 - THINK_CUT / math.expm1(THINK_CUT)
"""Mean of an exponential that is cut at c times its mean, in such means: 1 - c / (e^c - 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One click: the requests that it sends in order, and how long one thinks before it.

    `think` is a factor on the persona's think time. Who does not know yet what a
    step is about (no customer was met) asks for it first, within the same click.
    """

    requests: tuple[str, ...]
    think: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A kind of user: what it does in which order, and how long it thinks.

    Attributes
    ----------
    name : str
        As the mix names it.
    role : str
        Of its accounts in the CRM.
    think_s : float
        Z, the mean of the exponential before it is cut, in seconds.
    steps : mapping of str to Step
        The clicks that there are.
    journey : mapping of str to (mapping of str to float)
        For ``start`` and for each step, the weights of what comes next: steps, and
        ``end``.
    """

    name: str
    role: str
    think_s: float
    steps: Mapping[str, Step]
    journey: Mapping[str, Mapping[str, float]]

    def think_before_s(self, step: str) -> float:
        """Mean of the truncated think time before a step.

        Parameters
        ----------
        step : str
            One of `steps`.

        Returns
        -------
        float
            Seconds: the step's factor times Z (1 - c / (e^c - 1)), the cut at c Z.
        """
        return self.think_s * self.steps[step].think * _CUT_MEAN
