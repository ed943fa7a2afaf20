"""The ratio of two runs from what each says of itself: there is no next run to tell more."""

from __future__ import annotations

import math

from analysis.estimate import Estimate, not_estimable


def ratio_within(base: Estimate, candidate: Estimate) -> Estimate:
    """Estimate the ratio of two runs, from what their own requests say.

    Parameters
    ----------
    base, candidate : Estimate
        Of one run each, with their intervals.

    Returns
    -------
    Estimate
        ``covers`` is ``"this run"``: it says nothing of the next run. Without ends
        where an interval lacks one.

    References
    ----------
    Zou and Donner (2008), "Construction of confidence limits about effect measures:
    a general approach": the distances of the ends add up as errors do.
    """
    method = "two intervals combined on the logarithm"
    if not base.value or candidate.value is None or candidate.value <= 0:
        return not_estimable("a ratio needs two values above 0", method=method)
    value = candidate.value / base.value
    if None in {base.low, base.high, candidate.low, candidate.high} or not base.low:
        why = candidate.why or base.why or "an interval of a run has no end"
        return Estimate(value=value, n=2, method=method, why=why)
    return _combined(base, candidate, value, method)


def _combined(base: Estimate, candidate: Estimate, value: float, method: str) -> Estimate:
    ends = (base.low, base.high, candidate.low, candidate.high)
    base_low, base_high, low, high = (float(end or 0.0) for end in ends)
    before, after = math.log(base.value or 1.0), math.log(candidate.value or 1.0)
    up = math.hypot(math.log(high) - after, before - math.log(base_low))
    down = math.hypot(after - math.log(low), math.log(base_high) - before) if low > 0 else math.inf
    return Estimate(
        value=value,
        low=value * math.exp(-down),
        high=value * math.exp(up),
        level=min(base.level or 0.0, candidate.level or 0.0) or None,
        n=2,
        method=method,
    )
