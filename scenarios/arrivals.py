"""When clicks arrive in the open model, and whose: a pure schedule, the same for the same seed.

The level of a schedule is an intensity, arrivals per second, made of straight pieces::

    arrivals/s                                    Λ(t): area up to t
      |                        ______________
      |  _____________________/              |    arrival k comes when Λ(t) = S_k
      | | warm-up  settle hold  ramp  settle hold
      +-+---------------------------------------> run time

Arrival k comes when the area Λ reaches S_k: the sum of k + 1 exponential gaps of mean 1
(``"poisson"``), or k + 1/2 (``"even"``: the middle of its share, so that every span gets
its own number of arrivals, rounded). That is exact on ramps too: no thinning, no steps.

References
----------
E. Cinlar, "Introduction to Stochastic Processes", 1975, section 4.7 (time change of a
Poisson process).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, count
from typing import NamedTuple

from scenarios.mix import Click, intended_mix
from scenarios.model import Load, Scenario
from scenarios.schedule import Schedule


class Draw(NamedTuple):
    """An arrival before any schedule says when it comes.

    Attributes
    ----------
    number : int
        In the run, over all generator processes.
    area : float
        It comes when so many arrivals are expected to have come.
    persona, step : str or None
        Whose click, and which; None where the users are a locustfile's.
    """

    number: int
    area: float
    persona: str | None
    step: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One click that is to begin at a moment, whether or not anybody was answered.

    Attributes
    ----------
    index : int
        Its number in the run, over all generator processes.
    t_s : float
        Seconds of run time.
    persona, step : str or None
        Whose click, and which; None where the users are a locustfile's.
    """

    index: int
    t_s: float
    persona: str | None = None
    step: str | None = None


_SPARE_SIGMAS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A straight piece of the intensity, and the area before it."""

    start_s: float
    length_s: float
    first: float
    last: float
    before: float

    @property
    def area(self) -> float:
        return (self.first + self.last) / 2 * self.length_s

    def area_at(self, t_s: float) -> float:
        x = min(max(t_s - self.start_s, 0.0), self.length_s)
        slope = (self.last - self.first) / self.length_s
        return self.before + x * (self.first + slope * x / 2)

    def when(self, area: float) -> float:
        # the root of slope/2 x^2 + first x = y without the difference of two near numbers
        y = area - self.before
        slope = (self.last - self.first) / self.length_s
        root = math.sqrt(max(self.first * self.first + 2 * slope * y, 0.0))
        x = 2 * y / (self.first + root) if y > 0 else 0.0
        return self.start_s + min(x, self.length_s)


class Intensity:
    """Arrivals per second over a schedule, and the area under them.

    Parameters
    ----------
    schedule : Schedule
        Whose levels are arrivals per second.
    """

    def __init__(self, schedule: Schedule) -> None:
        first = schedule.spans[0].level
        lines = [(0.0, schedule.warmup_s, first, first)]
        for span in schedule.spans:
            lines.append((span.start_s, span.ramped_s, span.before, span.level))
            lines.append((span.ramped_s, span.end_s, span.level, span.level))
        self._pieces: list[_Piece] = []
        before = 0.0
        for start_s, end_s, low, high in lines:
            if end_s > start_s:
                piece = _Piece(
                    start_s=start_s, length_s=end_s - start_s, first=low, last=high, before=before
                )
                self._pieces.append(piece)
                before += piece.area
        self._starts_s = [piece.start_s for piece in self._pieces]
        self._before = [piece.before for piece in self._pieces]
        self.total = before

    def cumulative(self, t_s: float) -> float:
        """Tell how many arrivals are expected up to a moment.

        Parameters
        ----------
        t_s : float
            Seconds of run time.

        Returns
        -------
        float
            0 before the start, `total` after the end.
        """
        return self._pieces[max(bisect_right(self._starts_s, t_s) - 1, 0)].area_at(t_s)

    def when(self, area: float) -> float:
        """Tell when so many arrivals are expected to have come: the inverse of `cumulative`.

        Parameters
        ----------
        area : float
            From 0 to `total`.

        Returns
        -------
        float
            Seconds of run time.
        """
        return self._pieces[max(bisect_right(self._before, area) - 1, 0)].when(area)


def expected_count(schedule: Schedule, start_s: float, end_s: float) -> float:
    """Tell how many arrivals are expected between two moments.

    Parameters
    ----------
    schedule : Schedule
        Whose levels are arrivals per second.
    start_s, end_s : float
        Seconds of run time.

    Returns
    -------
    float
        The integral of the intensity.
    """
    intensity = Intensity(schedule)
    return intensity.cumulative(end_s) - intensity.cumulative(start_s)


def arrival_times(schedule: Schedule, spacing: str, seed: object) -> Iterator[float]:
    """Draw the moments of all arrivals, one by one.

    Parameters
    ----------
    schedule : Schedule
        Whose levels are arrivals per second.
    spacing : str
        ``"poisson"`` or ``"even"``, as :attr:`Load.arrivals` says.
    seed : object
        The same seed gives the same moments; the mix plays no part.

    Yields
    ------
    float
        Seconds of run time, ascending, up to the end of the schedule.
    """
    intensity = Intensity(schedule)
    for area in _areas(spacing, seed):
        if area >= intensity.total:
            return
        yield intensity.when(area)


def _areas(spacing: str, seed: object) -> Iterator[float]:
    if spacing == "even":
        return (number + 0.5 for number in count())
    gap = random.Random(f"{seed}-gaps").expovariate  # noqa: S311 - load, not secrets
    return accumulate(gap(1.0) for _ in count())


def draws(
    load: Load, shares: Mapping[Click, float], seed: object, *, shard: int = 0, shards: int = 1
) -> Iterator[Draw]:
    """Draw arrivals without end, whatever the schedule.

    Parameters
    ----------
    load : Load
        Says how they are spaced.
    shares : mapping of (persona, step) to float
        How often each click comes; empty where the users are a locustfile's.
    seed : object
        Spaces and clicks have a stream of random numbers each: another mix leaves the
        spaces as they are.
    shard, shards : int
        The arrivals whose index is `shard` modulo `shards` are taken: all shards
        together are the arrivals of one process.

    Yields
    ------
    Draw
        In order. Nothing is kept.
    """
    clicks = sorted(shares)
    bounds = list(accumulate(shares[click] for click in clicks))
    draw = random.Random(f"{seed}-kinds").random  # noqa: S311 - load, not secrets
    for index, area in enumerate(_areas(load.arrivals, seed)):
        drawn = draw()  # for those of other shards too
        if index % shards != shard:
            continue
        if clicks:
            at = bisect_right(bounds, drawn * bounds[-1], hi=len(clicks) - 1)
            yield Draw(index, area, *clicks[at])
        else:
            yield Draw(index, area, None, None)


def click_shares(scenario: Scenario) -> dict[Click, float]:
    """Give the shares of the clicks that arrive.

    Parameters
    ----------
    scenario : Scenario
        Of the open model.

    Returns
    -------
    dict of (str, str) to float
        By persona and step, those of its mix at low load; empty with a locustfile.
    """
    return intended_mix(scenario.personas, scenario.load.mix) if scenario.load.mix else {}


def arrivals(
    schedule: Schedule,
    load: Load,
    shares: Mapping[Click, float],
    seed: object,
    *,
    shard: int = 0,
    shards: int = 1,
) -> Iterator[Arrival]:
    """Lay the arrivals of a run, or of one of its generator processes, out in run time.

    Parameters
    ----------
    schedule : Schedule
        Whose levels are arrivals per second.
    load, shares, seed, shard, shards
        As :func:`draws` takes them.

    Yields
    ------
    Arrival
        In the order of time, up to the end of the schedule.
    """
    intensity = Intensity(schedule)
    for drawn in draws(load, shares, seed, shard=shard, shards=shards):
        if drawn.area >= intensity.total:
            return
        yield Arrival(
            index=drawn.number,
            t_s=intensity.when(drawn.area),
            persona=drawn.persona,
            step=drawn.step,
        )


def pool_sizes(
    load: Load, shares: Mapping[Click, float], *, process: int = 0, processes: int = 1
) -> dict[str | None, int]:
    """Share out the virtual users that wait for arrivals.

    Parameters
    ----------
    load : Load
        Of the open model: there are `max_users` in all.
    shares : mapping of (persona, step) to float
        How often each click comes; empty where the users are a locustfile's.
    process, processes : int
        Number of a generator process, and how many there are.

    Returns
    -------
    dict of (str or None) to int
        Virtual users of each persona in that process; never none. Under None, all of a
        locustfile's.

    Notes
    -----
    With a share s of N users, a persona gets a part in proportion to s N + 3 sqrt(s N):
    arrivals cluster, and those of a persona that clicks seldom must not wait for each
    other (square-root staffing: W. Whitt, "Understanding the efficiency of multi-server
    service systems", 1992).
    """
    of_process = load.max_users // processes + (process < load.max_users % processes)
    if not shares:
        return {None: max(of_process, 1)}
    weights: dict[str | None, float] = {}
    for (persona, _), share in sorted(shares.items()):
        weights[persona] = weights.get(persona, 0.0) + share
    whole = sum(weights.values())
    for name, weight in weights.items():
        offered = of_process * weight / whole
        weights[name] = offered + _SPARE_SIGMAS * math.sqrt(offered)
    return _in_whole_users(of_process, weights)


def _in_whole_users(users: int, weights: Mapping[str | None, float]) -> dict[str | None, int]:
    """Round shares up to whole users, at the cost of those who have most."""
    whole = sum(weights.values()) or 1.0
    exact = {name: users * weight / whole for name, weight in weights.items()}
    sizes = {name: max(math.ceil(part), 1) for name, part in exact.items()}
    while sum(sizes.values()) > max(users, len(sizes)):
        sizes[max(sizes, key=lambda name: sizes[name])] -= 1
    return sizes
