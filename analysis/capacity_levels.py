"""The nouns of a search for a capacity: what is asked, tried, known and found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.decision import Verdict
from analysis.estimate import Estimate, not_estimable

_METHOD = (
    "from the last load that passed to the first that failed; the value is where the share of "
    "requests crosses its limit, interpolated, else the last load that passed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What is searched for, and what it may take.

    Attributes
    ----------
    low, high : float
        The first load, and the highest that may be tried; users or arrivals per second.
    width : float
        How much higher than the last load that passed the first that failed may be, as a
        share of it.
    repetitions : int
        Runs at one level at most, the one that confirms it aside.
    factor : float
        Step of the ramp.
    most_runs : int
        Runs of the whole search at most.
    whole : bool
        Whether levels are whole numbers: users.
    """

    low: float
    high: float
    width: float = 0.1
    repetitions: int = 3
    factor: float = 2.0
    most_runs: int = 30
    whole: bool = False

    @property
    def looks(self) -> int:
        """How often one level is judged at most: what error spending divides by."""
        return self.repetitions + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next run.

    Attributes
    ----------
    level : float
        Its load.
    look : int
        Which run at this level it is, from 1.
    holds : int
        How many times as long as the first one it holds.
    why : str
        ``"ramp"``, ``"narrow"``, ``"repeat"`` or ``"confirm"``.
    """

    level: float
    look: int
    holds: int
    why: str


@dataclass(slots=True, kw_only=True)
class Level:
    """What is known of one load.

    Attributes
    ----------
    load : float
        Users, or arrivals per second.
    verdict : Verdict
        On all its runs together.
    runs : int
        That were made and valid.
    lean : float or None
        How far beyond its limit the budget is that is nearest to it, or furthest beyond:
        log of the share seen by the share allowed. Where it is 0 lies the capacity.
    weight : float
        Independent requests that this rests on.
    confirmed : bool
        Whether it passed again in a longer hold.
    """

    load: float
    verdict: Verdict = Verdict.INCONCLUSIVE
    runs: int = 0
    lean: float | None = None
    weight: float = 0.0
    confirmed: bool = False


class Ending(StrEnum):
    """How a search ended."""

    FOUND = "found"
    WIDE = "wide"
    NONE_PASSED = "none_passed"
    NONE_FAILED = "none_failed"
    INVALID = "invalid"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has found.

    Attributes
    ----------
    ending : Ending
        How it ended.
    last_pass, first_fail : float or None
        The ends of the interval: the highest load that passed below every one that
        failed, and the lowest that failed.
    estimate : float or None
        Where the measured share crosses its limit, between the two; None where no share
        was seen on both sides.
    undecided : tuple of float
        Loads in between that were left undecided.
    not_monotone : tuple of (float, float)
        Loads that failed, each with a higher one that passed.
    confirmed : bool
        Whether the last load that passed did so again in a longer hold.
    """

    ending: Ending
    last_pass: float | None
    first_fail: float | None
    estimate: float | None
    undecided: tuple[float, ...]
    not_monotone: tuple[tuple[float, float], ...]
    confirmed: bool

    @property
    def width(self) -> float | None:
        """How much higher the first load that failed is, as a share of the last that passed."""
        if self.last_pass is None or self.first_fail is None:
            return None
        return self.first_fail / self.last_pass - 1

    def capacity(self, unit: str) -> Estimate:
        """Give the capacity with its interval.

        Parameters
        ----------
        unit : str
            ``"users"`` or ``"arrivals/s"``.

        Returns
        -------
        Estimate
            Over runs; not estimable where no load passed.
        """
        if self.last_pass is None:
            return not_estimable("no load passed", unit=unit, method=_METHOD)
        why = None if self.first_fail is not None else "no load failed: the capacity lies higher"
        return Estimate(
            value=self.last_pass if self.estimate is None else self.estimate,
            low=self.last_pass,
            high=self.first_fail,
            unit=unit,
            method=_METHOD,
            covers="runs",
            why=why,
        )


def monotone(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Fit a sequence that never falls.

    Parameters
    ----------
    values : sequence of float, shape (n,)
        In order.
    weights : sequence of float, shape (n,)
        Of each; 0 counts as next to nothing.

    Returns
    -------
    list of float, shape (n,)
        The least-squares fit.

    References
    ----------
    Ayer et al. (1955), "An empirical distribution function for sampling with incomplete
    information": pool adjacent violators.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, max(weight, 1e-9), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, its, many), (high, other, more) = blocks.pop(-2), blocks.pop()
            mean = (low * its + high * other) / (its + other)
            blocks.append((mean, its + other, many + more))
    return [value for value, _, many in blocks for _ in range(many)]
