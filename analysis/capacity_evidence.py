"""What several runs at one load say together: evidence pooled in a way that is declared here.

A budget that is decided by a share of requests (percentiles, the error ratio) is decided anew by
the share of all runs at the load together: each run weighs as many requests as it is worth
independent ones, and those add up. A load is looked at several times, and each look is a chance to
decide wrongly, so each gets its part of the error: with k looks at most the bounds of every look
are one-sided 1 - 0.05 / k ones (Bonferroni, which holds however the looks depend on each other).

A run in which a percentile was far from its limit, or nothing was answered, has said so by itself:
it is not outvoted by others whose requests weigh more. A load passes only where each of its runs
was held to its end. Budgets that are not decided by a share (availability, Apdex, a mean) are
decided by each run at its own 5 %: more than half of the runs must be decided, and all of those in
the same way. A floor on throughput is left aside: a low load cannot reach it, however well it is
carried, so that a search would look for its failures at the wrong end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtri

from analysis.budgets import CONFIDENCE
from analysis.decision import Verdict, together
from analysis.estimate import Estimate
from analysis.intervals import least_share, wilson_bound
from scenarios.assertions import Metric, Severity, parse_assertion
from scenarios.model import Budget

Document = Mapping[str, Any]
"""verdict.json of a run."""

NOT_OF_A_LEVEL = frozenset({Metric.CAPACITY, Metric.DRIFT, Metric.RECOVERY_TIME, Metric.THROUGHPUT})
"""What is no property of one load held for a while, or no worse at a higher one: left aside."""

_METHOD = (
    "share of all runs at this load; one-sided Wilson bounds on the sum of n_eff, "
    "of fewer than ten from below at most the exact bound"
)
_DECIDED = {Verdict.PASSED, Verdict.FAILED}


def judged_at_a_level(budget: Budget) -> bool:
    """Tell whether a budget can fail a load in a search.

    Parameters
    ----------
    budget : Budget
        Of a scenario.

    Returns
    -------
    bool
        Not for a warning, nor for a drift, a recovery, a capacity or a throughput.
    """
    assertion = budget.assertion
    return assertion.severity is Severity.FAIL and assertion.metric not in NOT_OF_A_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledBudget:
    """One budget over all runs at a load.

    Attributes
    ----------
    subject, assertion : str
        The budget.
    verdict : Verdict
        Of all runs together.
    share : Estimate or None
        Share of requests that decides it; None where no share does.
    allowed : float or None
        What the share may be at most.
    """

    subject: str
    assertion: str
    verdict: Verdict
    share: Estimate | None = None
    allowed: float | None = None

    @property
    def lean(self) -> float | None:
        """Log of the share seen by the share allowed: below 0 there is room."""
        if self.share is None or self.share.value is None or self.allowed is None:
            return None
        # none seen: half of the least that could have been
        return math.log(max(self.share.value, 0.5 / (self.share.n_eff or 1)) / self.allowed)

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "subject": self.subject,
            "assertion": self.assertion,
            "verdict": str(self.verdict),
            "share": None if self.share is None else self.share.as_dict(),
            "allowed": self.allowed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """All budgets over all runs at a load.

    Attributes
    ----------
    verdict : Verdict
        Failed, else inconclusive, else passed.
    budgets : tuple of PooledBudget
        Those that can fail a run.
    why : str or None
        What a run says for itself that was cut short, or failed beside the budgets; None
        where a budget decides.
    """

    verdict: Verdict
    budgets: tuple[PooledBudget, ...]
    why: str | None = None

    @property
    def nearest(self) -> PooledBudget | None:
        """The budget that is furthest beyond its limit, or nearest to it."""
        leaning = [budget for budget in self.budgets if budget.lean is not None]
        return max(leaning, key=lambda budget: budget.lean or 0.0, default=None)

    @property
    def deciding(self) -> PooledBudget | None:
        """The first budget of the verdict, of those with a share the one with the least room."""
        its = [budget for budget in self.budgets if budget.verdict is self.verdict]
        return max(its, key=lambda budget: (budget.lean is None, budget.lean or 0.0), default=None)


def pool(documents: Sequence[Document], *, looks: int) -> Pooled:
    """Judge all valid runs at one load together.

    Parameters
    ----------
    documents : sequence of mapping, shape (k,)
        Their verdict.json, each of one stage; at least one, none of them invalid.
    looks : int
        How often a load is judged at most.

    Returns
    -------
    Pooled
        Failed also where a run failed for another reason than a budget: a target that
        ended, a write that was lost. Not passed where a run was cut short.
    """
    confidence = 1 - (1 - CONFIDENCE) / looks
    gating = [
        [
            budget
            for budget in document["budgets"]
            if budget["severity"] == Severity.FAIL and budget["metric"] not in NOT_OF_A_LEVEL
        ]
        for document in documents
    ]
    budgets = tuple(_pool_budget(each, confidence) for each in zip(*gating, strict=True))
    said = {budget.verdict for budget in budgets}
    beside: list[tuple[Verdict, str]] = []
    for document in documents:
        if _failed_beside_budgets(document):
            beside.append((Verdict.FAILED, document["why"]))
        if not document["ended"]["complete"]:
            beside.append((Verdict.INCONCLUSIVE, document["why"]))
    verdict = together([*said, *(each for each, _ in beside)])
    why = next((why for each, why in beside if each is verdict and each not in said), None)
    return Pooled(verdict=verdict, budgets=budgets, why=why)


def _failed_beside_budgets(document: Document) -> bool:
    """Tell whether a run failed by what no budget says, also beside a budget that is left aside."""
    if document["verdict"] != Verdict.FAILED:
        return False
    ended = document["ended"]
    lost = ended["why"] == "target_lost" and not ended["complete"]
    failed = [budget for budget in document["budgets"] if budget["verdict"] == Verdict.FAILED]
    dead = any(_is_dead(budget) for budget in failed)
    return lost or bool(document["goodput"]["broken"]) or dead or not failed


def _is_dead(budget: Document) -> bool:
    """Tell of a failed budget whether its floor on throughput was missed by everything."""
    return bool(budget["metric"] == Metric.THROUGHPUT and budget["measured"]["value"] == 0)


@dataclass(frozen=True, slots=True)
class _Share:
    """What one run says of a share: seen at least, at most, and how much that weighs."""

    least: float
    most: float
    n_eff: float
    n: int


def _pool_budget(runs: Sequence[Document], confidence: float) -> PooledBudget:
    budget = runs[0]
    assertion = parse_assertion(budget["assertion"])
    said = [Verdict(run["verdict"]) for run in runs]
    allowed: float | None = None
    if assertion.metric in {Metric.PERCENTILE, Metric.MEDIAN}:
        allowed = 1 - (assertion.level if assertion.level is not None else 0.5)
        key = "share_beyond"
    elif assertion.metric is Metric.ERROR_RATIO and assertion.upper and assertion.limit > 0:
        allowed, key = assertion.limit, "measured"
    shares = [] if allowed is None else [_share_of(run[key]) for run in runs]
    known = [share for share in shares if share is not None]
    if allowed is None or not known:
        verdict = _agreed(said)
        return PooledBudget(
            subject=budget["subject"], assertion=budget["assertion"], verdict=verdict
        )
    pooled = _add_up(known, confidence)
    verdict = _decided(pooled, allowed)
    # a run that its own share did not decide, and that is decided, was far from the limit
    alone = {
        word
        for word, run in zip(said, runs, strict=True)
        if word in _DECIDED and _own_share_decides(run[key], allowed) is not word
    }
    if any(w is Verdict.FAILED and _none_seen(s) for w, s in zip(said, shares, strict=True)):
        verdict = Verdict.FAILED
    elif verdict is Verdict.PASSED and Verdict.FAILED in alone:
        verdict = Verdict.INCONCLUSIVE
    elif verdict is Verdict.INCONCLUSIVE and alone == {Verdict.FAILED}:
        verdict = Verdict.FAILED
    elif verdict is Verdict.INCONCLUSIVE and alone == {Verdict.PASSED}:
        # A short run far below its limit says nothing against a longer one that broke it.
        agrees = Verdict.FAILED not in said and (pooled.value or 0.0) <= allowed
        verdict = Verdict.PASSED if agrees else Verdict.INCONCLUSIVE
    return PooledBudget(
        subject=budget["subject"],
        assertion=budget["assertion"],
        verdict=verdict,
        share=pooled,
        allowed=allowed,
    )


def _none_seen(share: _Share | None) -> bool:
    """Tell whether no request was seen to end within the limit; none at all has no share."""
    return share is None or math.isclose(share.most, 1)


def _share_of(estimate: Document | None) -> _Share | None:
    """Read a share; what counted both ways stands in its upper end alone."""
    if estimate is None or estimate["value"] is None or not estimate["n_eff"]:
        return None
    least, n_eff, high = float(estimate["value"]), float(estimate["n_eff"]), estimate["high"]
    most = least
    if high is not None:  # Wilson's score interval, solved for the share
        most = high - float(ndtri(CONFIDENCE)) * math.sqrt(high * (1 - high) / n_eff)
    return _Share(least, min(max(least, most), 1.0), n_eff, int(estimate["n"]))


def _add_up(shares: Sequence[_Share], confidence: float) -> Estimate:
    n, n_eff = sum(share.n for share in shares), sum(share.n_eff for share in shares)
    least = sum(share.least * share.n_eff for share in shares) / n_eff
    most = sum(share.most * share.n_eff for share in shares) / n_eff
    return Estimate(
        value=least,
        low=least_share(least, n, n_eff, confidence=confidence),
        high=wilson_bound(min(most, 1.0), n_eff, confidence=confidence, upper=True),
        level=confidence,
        n=n,
        n_eff=n_eff,
        unit="ratio",
        method=_METHOD,
        covers="runs",
    )


def _decided(share: Estimate, allowed: float) -> Verdict:
    if share.high is not None and share.high < allowed:
        return Verdict.PASSED
    if share.low is not None and share.low > allowed:
        return Verdict.FAILED
    return Verdict.INCONCLUSIVE


def _own_share_decides(estimate: Document | None, allowed: float) -> Verdict:
    if estimate is None:
        return Verdict.INCONCLUSIVE
    if estimate["high"] is not None and estimate["high"] < allowed:
        return Verdict.PASSED
    if estimate["low"] is not None and estimate["low"] > allowed:
        return Verdict.FAILED
    return Verdict.INCONCLUSIVE


def _agreed(said: Sequence[Verdict]) -> Verdict:
    decided = [word for word in said if word in _DECIDED]
    if len(set(decided)) == 1 and 2 * len(decided) > len(said):
        return decided[0]
    return Verdict.INCONCLUSIVE
