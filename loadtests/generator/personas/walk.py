"""The way of one virtual user through its persona's journey, and its think times."""

from __future__ import annotations

import itertools
import random

from scenarios.personas import END, START, THINK_CUT, Persona


class Walk:
    """A Markov chain over the steps of a persona, from session to session.

    Parameters
    ----------
    persona : Persona
        Whose journey it is.
    rng : Random
        Draws everything.

    Attributes
    ----------
    step : str
        What is done next; ``start`` before the first call of `go_on`.
    sessions : int
        How many have begun.
    """

    def __init__(self, persona: Persona, rng: random.Random) -> None:
        self._persona = persona
        self._rng = rng
        self._rows = {
            name: (list(row), list(itertools.accumulate(row.values())))
            for name, row in persona.journey.items()
        }
        self._is_first = True
        self.step = START
        self.sessions = 0

    def go_on(self) -> None:
        """Draw the next step; after an end, the first one of another session."""
        following = self._draw(self.step)
        if self.step == START:
            self.sessions += 1
        elif following == END:
            self.sessions += 1
            following = self._draw(START)
        self.step = following

    def _draw(self, step: str) -> str:
        names, cumulative = self._rows[step]
        return self._rng.choices(names, cum_weights=cumulative)[0]

    def think_s(self) -> float:
        """Draw the think time before the current step.

        Returns
        -------
        float
            Seconds: an exponential cut at ten times its mean; the very first one is
            uniform on (0, 2 Z).
        """
        mean_s = self._persona.think_s * self._persona.steps[self.step].think
        if self._is_first:
            self._is_first = False
            return self._rng.uniform(0, 2 * mean_s)
        while (think_s := self._rng.expovariate(1 / mean_s)) > THINK_CUT * mean_s:
            pass
        return think_s


def walk_of(persona: Persona, seed: str, number: int) -> Walk:
    """Give the walk of a virtual user.

    It has a source of chance of its own: where it goes does not depend on what the target
    answers, nor on how fast.

    Parameters
    ----------
    persona : Persona
        Whose journey it is.
    seed : str
        Of the persona in this run and process.
    number : int
        Of the virtual user, from 1, in the order in which they came.

    Returns
    -------
    Walk
        At its start.
    """
    return Walk(persona, random.Random(f"{seed}-{number}-walk"))  # noqa: S311 - no secrets
