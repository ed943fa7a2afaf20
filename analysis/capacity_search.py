"""The search for a capacity: which load to try next, and what has been found.

::

    load
      |              x first fail                      x        o confirmed last pass
      |                                    ?  x                 x first fail
      |         o         ?  estimate                           between: at most 1 + width
      |    o                            o                o
      +-- ramp: x factor --+-- narrowing: runs at a level grow --+-- confirming

Pure: it is told verdicts and gives levels; who runs them, and how long that takes, it does not
know. An undecided level is tried again, each time twice as long, with the evidence pooled
(:mod:`analysis.capacity_evidence`), until its looks are used up. What lies next to the limit stays
undecided for ever, and need not be decided: the levels to decide are those a little below and a
little above, and where the limit is about is estimated from all that was measured. The estimate
chooses levels; it decides none.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

from analysis.capacity_levels import Ending, Found, Level, SearchPlan, Step, monotone
from analysis.decision import Verdict

SAME = 1.02
"""Levels this factor apart are tried as one."""

FINEST = 1.03
"""A gap between levels that is not wider than this factor is not divided."""

CLEAR = 1.001
"""An interval is made narrower by this factor than it must be, for rounded levels."""

NEAR_END, FAR_END = 0.6, 0.3
"""How far from the limit a level may lie that becomes an end of the interval, as powers of the
interval's ratio: nearer it is hard to decide, further it leaves the other end too near."""

DOWN_MOST = 6
"""So many steps the search goes down from a first level that failed."""


@dataclass(slots=True)
class Search:
    """One search.

    Parameters
    ----------
    plan : SearchPlan
        What is searched for.
    """

    plan: SearchPlan
    levels: dict[float, Level] = field(default_factory=dict)
    runs: int = 0
    invalid: int = 0
    _asked: Step | None = None

    def step(self) -> Step | None:
        """Choose the next run.

        Returns
        -------
        Step or None
            None when the search has ended.
        """
        self._asked = None
        if self.runs < self.plan.most_runs and self.invalid <= self.plan.repetitions:
            self._asked = self._next()
        return self._asked

    def note(self, verdict: Verdict, *, lean: float | None = None, weight: float = 0.0) -> None:
        """Take what came of the run that was asked for.

        Parameters
        ----------
        verdict : Verdict
            On this and all earlier runs at its level together. An invalid one is no look:
            the same step comes again, as often as there are repetitions.
        lean : float, optional
            As of :class:`Level`, of all runs at the level together.
        weight : float
            Of `lean`.

        Raises
        ------
        ValueError
            When no run was asked for.
        """
        step = self._asked
        if step is None:
            raise ValueError("no run was asked for")
        self._asked = None
        self.runs += 1
        if verdict is Verdict.INVALID:
            self.invalid += 1
            return
        self.invalid = 0
        level = self.levels.setdefault(step.level, Level(load=step.level))
        level.runs += 1
        level.verdict, level.lean, level.weight = verdict, lean, weight
        level.confirmed = step.why == "confirm" and verdict is Verdict.PASSED

    def found(self) -> Found:
        """Tell what has been found so far.

        Returns
        -------
        Found
        """
        last, first = self._last_pass(), self._first_fail()
        confirmed = last is not None and self.levels[last].confirmed
        failed = self._of(Verdict.FAILED)
        passed = self._of(Verdict.PASSED)
        return Found(
            ending=self._ending(last, first, confirmed=confirmed),
            last_pass=last,
            first_fail=first,
            estimate=self._estimate(last, first),
            undecided=tuple(
                load
                for load in self._of(Verdict.INCONCLUSIVE)
                if (last is None or load > last) and (first is None or load < first)
            ),
            not_monotone=tuple(
                (load, max(passed)) for load in failed if passed and max(passed) > load
            ),
            confirmed=confirmed,
        )

    def _estimate(self, last: float | None, first: float | None) -> float | None:
        if last is None or first is None:
            return None
        limit, is_estimate = self._limit(last, first)
        return limit if is_estimate else None

    def _ending(self, last: float | None, first: float | None, *, confirmed: bool) -> Ending:
        if self.invalid > self.plan.repetitions:
            return Ending.INVALID
        if last is not None and first is not None and confirmed and self._is_narrow(last, first):
            return Ending.FOUND
        if self.runs >= self.plan.most_runs and self._next() is not None:
            return Ending.STOPPED
        if last is not None and first is not None:
            return Ending.WIDE
        return Ending.NONE_PASSED if last is None else Ending.NONE_FAILED

    # what is known

    def _of(self, verdict: Verdict) -> list[float]:
        return sorted(load for load, level in self.levels.items() if level.verdict is verdict)

    def _first_fail(self) -> float | None:
        return min(self._of(Verdict.FAILED), default=None)

    def _last_pass(self) -> float | None:
        first = self._first_fail()
        passed = self._of(Verdict.PASSED)
        return max((load for load in passed if first is None or load < first), default=None)

    def _is_narrow(self, last: float, first: float) -> bool:
        next_to_it = self.plan.whole and first - last <= 1
        return next_to_it or first <= last * (1 + self.plan.width) * (1 + 1e-9)

    def _limit(self, last: float, first: float) -> tuple[float, bool]:
        """Guess where the limit is, between the ends, and say whether the guess is an estimate.

        That is where the share crosses what is allowed: monotone, and log-linear between two
        levels. Between levels that lie far apart it is no line, and without shares on both sides
        there is none: the middle is as good a guess then.
        """
        known = sorted(
            (level for level in self.levels.values() if level.lean is not None),
            key=lambda level: level.load,
        )
        leans = monotone([level.lean or 0.0 for level in known], [level.weight for level in known])
        found, is_estimate = math.sqrt(last * first), False
        for (below, at), (above, beyond) in itertools.pairwise(zip(known, leans, strict=True)):
            if at <= 0 < beyond:
                apart = above.load / below.load
                is_estimate = apart <= (1 + self.plan.width) ** 2
                part = -at / (beyond - at) if is_estimate else 0.5
                found = below.load * apart**part
        return min(max(found, last), first), is_estimate

    # what is next

    def _next(self) -> Step | None:
        last, first = self._last_pass(), self._first_fail()
        if not self.levels:
            return self._try(self.plan.low, "ramp")
        if first is None:
            return self._up()
        if last is None:
            return self._down()
        if self._is_narrow(last, first):
            return None if self.levels[last].confirmed else self._confirm(last)
        return self._narrow(last, first)

    def _up(self) -> Step | None:
        highest = max(self.levels)
        if highest * SAME < self.plan.high:
            raised = highest * self.plan.factor
            if self.plan.whole:
                raised = max(raised, highest + 1)
            return self._try(min(raised, self.plan.high), "ramp")
        return self._repeat(highest)

    def _down(self) -> Step | None:
        """Go down below what failed; what is undecided there is asked again first."""
        lowest = min(self.levels)
        again = self._repeat(lowest)
        if again is not None:
            return again
        least = self.plan.low / self.plan.factor**DOWN_MOST
        lowered = lowest / self.plan.factor
        if self.plan.whole:
            least, lowered = max(round(least), 1.0), min(lowered, lowest - 1)
        if lowest <= least * SAME:
            return None
        return self._try(max(lowered, least), "ramp")

    def _narrow(self, last: float, first: float) -> Step | None:
        """Raise the last pass to a little below the limit, then lower the first fail to it.

        Both ends lie best as far from the limit as the width allows, where they are decided
        soonest: it in the middle between them.
        """
        ratio = 1 + self.plan.width
        ceiling = self._rounded(last * ratio / CLEAR)
        limit, _ = self._limit(last, first)
        spent = [u for u in self._undecided(last, first) if not self._may_repeat(u)]
        lowest = min(spent, default=first)
        can_rise = lowest > last * FINEST
        high_enough = last * ratio**NEAR_END >= limit
        can_sink = ceiling < first and all(load * SAME < ceiling for load in spent)
        target = limit / math.sqrt(ratio)
        is_open = last * FINEST < target < lowest / FINEST
        # where it is not, dividing what is left takes run after run; the ceiling is far enough
        ends_it = can_sink and ceiling >= limit * ratio**FAR_END
        if can_rise and not high_enough and (is_open or not ends_it):
            target = target if is_open else math.sqrt(last * lowest)
            return self._try_near(target, (limit / ratio**NEAR_END, limit / ratio**FAR_END))
        if can_sink:
            return self._try_near(ceiling, (limit * ratio**FAR_END, ceiling))
        return self._try_near(math.sqrt(last * lowest), (last, lowest)) if can_rise else None

    def _undecided(self, last: float, first: float) -> list[float]:
        return [load for load in self._of(Verdict.INCONCLUSIVE) if last < load < first]

    def _try_near(self, target: float, between: tuple[float, float]) -> Step | None:
        """Try a level, or the next to it of those in a span that are undecided already."""
        least, most = between
        known = [
            load
            for load in self._of(Verdict.INCONCLUSIVE)
            if least <= load <= most and self._may_repeat(load)
        ]
        if known:
            return self._repeat(min(known, key=lambda load: abs(math.log(load / target))))
        return self._try(self._whole_near(target) if self.plan.whole else target, "narrow")

    def _whole_near(self, target: float) -> float:
        """Find the nearest whole number between the ends that may still be tried."""
        last, first = self._last_pass() or 0.0, self._first_fail() or math.inf
        for apart in range(math.ceil(min(first, 2 * target) - last)):
            for load in (float(round(target) - apart), float(round(target) + apart)):
                fresh = load not in self.levels or self._may_repeat(load)
                if last < load < first and fresh:
                    return load
        return last

    def _try(self, load: float, why: str) -> Step | None:
        load = self._rounded(load)
        if load not in self.levels:
            return Step(level=load, look=1, holds=1, why=why)
        level = self.levels[load]
        return self._repeat(load) if level.verdict is Verdict.INCONCLUSIVE else None

    def _rounded(self, load: float) -> float:
        if self.plan.whole:
            return float(round(load))
        digits = 3 - math.floor(math.log10(load))  # four significant ones: what people can read
        return round(load, digits)

    def _may_repeat(self, load: float) -> bool:
        return self.levels[load].runs < self.plan.repetitions

    def _repeat(self, load: float) -> Step | None:
        level = self.levels[load]
        if level.verdict is not Verdict.INCONCLUSIVE or not self._may_repeat(load):
            return None
        return Step(level=load, look=level.runs + 1, holds=2**level.runs, why="repeat")

    def _confirm(self, load: float) -> Step:
        level = self.levels[load]
        holds = 2 ** (self.plan.repetitions - 1)
        return Step(level=load, look=level.runs + 1, holds=holds, why="confirm")
