"""Scalability: how throughput grew with load, and what may be claimed from it.

A curve that fits well proves nothing about where it was not measured. A peak or a
saturation is therefore claimed from the measured levels (:mod:`analysis.claims`); the
fitted law of :mod:`analysis.usl` only places it, other models stand beside it
(:mod:`analysis.scaling_models`), and beyond twice the highest load nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.claims import Claims, Point, claim
from analysis.estimate import Estimate, not_estimable
from analysis.fit_check import SURELY, FitCheck, check_fit
from analysis.intervals import student_t
from analysis.levels import Level, Measured, measured
from analysis.scaling_models import ModelFit, choose, fit_models
from analysis.usl import CONFIDENCE, PARAMETERS, Coefficient, UslFit, fit_usl
from scenarios.counting import agreeing

__all__ = ["Level", "Scalability", "UslFit", "fit_usl", "scalability"]

MIN_LEVELS = 6
"""Three parameters from fewer levels are a drawing, not a measurement (Gunther)."""

MIN_SPREAD = 2.0
"""Factor by which the number in flight must differ between the levels."""

EXTRAPOLATION = 2.0
"""Factor beyond the highest load up to which a model says anything at all."""

SUPERLINEAR = 0.05
"""Part by which the efficiency of a level must lie above the lowest level's to be told."""

METHOD = "USL by bounded least squares; Student t on the larger of two standard errors"

_BAND_POINTS = 25

_AXES = {"in_flight": "requests in flight", "users": "users", "load": "loads"}
"""What loads may be, in words."""

_UNITS = {"in_flight": "requests", "users": "users", "load": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalability:
    """How throughput grew with load.

    Attributes
    ----------
    sigma, kappa, lambda_ : Estimate
        Coefficients of the law.
    claims : Claims
        Peak and saturation.
    asymptote : Estimate
        What the law would come to without coherency, lambda / sigma: a property of the
        curve, which nobody has seen.
    levels : int
        Different levels that were fitted, or would have been.
    refused : str or None
        Why nothing was fitted.
    superlinear : str or None
        Where throughput grew faster than load, which the law does not allow.
    lowest, highest : float or None
        Loads that were measured.
    models : tuple of ModelFit
        Beside each other.
    chosen : str or None
        Name of the one that the data support best.
    check : FitCheck or None
        Of the residuals of the law.
    fit : UslFit or None
        The law with all that a figure needs.
    axis : str
        What loads are.
    """

    sigma: Estimate
    kappa: Estimate
    lambda_: Estimate
    claims: Claims
    asymptote: Estimate
    levels: int
    refused: str | None = None
    superlinear: str | None = None
    lowest: float | None = None
    highest: float | None = None
    models: tuple[ModelFit, ...] = ()
    chosen: str | None = None
    check: FitCheck | None = None
    fit: UslFit | None = None
    axis: str = "in_flight"
    model: str = "usl"

    @property
    def peak(self) -> Estimate:
        """Requests in flight at which throughput is highest, where that was seen."""
        return self.claims.peak

    @property
    def saturation(self) -> Estimate:
        """Throughput that more load no longer raises, where that was seen."""
        return self.claims.saturation

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does, but for the capacity and the demand.

        Returns
        -------
        dict
            Plain numbers, texts, dicts and None.
        """
        return {
            "model": self.model,
            "axis": self.axis,
            "sigma": self.sigma.as_dict(),
            "kappa": self.kappa.as_dict(),
            "lambda": self.lambda_.as_dict(),
            "peak": self.peak.as_dict(),
            "peak_throughput": self.claims.peak_throughput.as_dict(),
            "saturation": self.saturation.as_dict(),
            "asymptote": self.asymptote.as_dict(),
            "levels": self.levels,
            "refused": self.refused,
            "superlinear": self.superlinear,
            "no_claim_beyond": None if self.highest is None else EXTRAPOLATION * self.highest,
            "models": [model.as_dict() for model in self.models],
            "chosen": self.chosen,
            "residuals": None if self.check is None else self.check.as_dict(),
            "band": self._band(),
        }

    def _band(self) -> dict[str, list[float]] | None:
        """Interval of the law over the measured loads, for a figure."""
        if self.fit is None or self.lowest is None or self.highest is None:
            return None
        load = np.geomspace(self.lowest, self.highest, _BAND_POINTS)
        low, high = self.fit.band(load)
        return {"load": load.tolist(), "low": low.tolist(), "high": high.tolist()}


def scalability(
    levels: Sequence[Level],
    *,
    across_runs: bool = False,
    single: bool = False,
    axis: str = "in_flight",
    spoiled: str | None = None,
) -> Scalability:
    """Fit the models to the valid levels, and say what they show.

    Parameters
    ----------
    levels : sequence of Level
        In any order; those of one name are repetitions.
    across_runs : bool
        Whether repetitions come from different runs, so that intervals made of them cover
        runs. Stages of one run do not, though two of them have the same load.
    single : bool
        Whether levels that were measured once, and whose noise nobody knows, may show a
        peak or a saturation by their own trend (:mod:`analysis.claims`).
    axis : str
        What the numbers in flight really are: ``"in_flight"``, ``"users"`` or ``"load"``.
    spoiled : str, optional
        Why nothing that was measured can be trusted, whatever the levels show.

    Returns
    -------
    Scalability
        Without coefficients, and with the reason, when the levels are spoiled, when fewer than
        six are valid and have numbers, when their numbers in flight differ by less than a
        factor of two, or when noise that nobody knows may hide any law.
    """
    valid = [level for level in levels if level.valid]
    seen = measured(valid, across_runs=across_runs)
    refused = f"the run is invalid: {spoiled}" if spoiled else None
    refused = refused or _refusal(len(valid) - len(seen.load), seen.points, _AXES[axis])
    if refused is not None:
        return _refused(refused, seen, axis)
    try:
        fit, check = _fit(seen)
    except ValueError as error:
        return _refused(f"the law cannot be fitted: {error}", seen, axis)
    unknown = any(point.low is None for point in seen.points)
    hidden = _noise_hides(seen, fit) if unknown else None
    if hidden is not None:
        return _refused(hidden, seen, axis)
    claims = claim(seen.points, fit, single=single, covers=seen.covers)
    claims = replace(claims, peak=replace(claims.peak, unit=_UNITS[axis]))
    models = fit_models(*seen.means)
    n, covers = len(seen.load), seen.covers
    return Scalability(
        sigma=_estimate(fit, fit.sigma, n, "", covers),
        kappa=_estimate(fit, fit.kappa, n, "", covers),
        lambda_=_estimate(fit, fit.lambda_, n, "1/s", covers, least=0.0),
        claims=claims,
        asymptote=_asymptote(fit, n, covers),
        levels=len(seen.points),
        superlinear=_superlinear(seen.points, fit),
        lowest=seen.points[0].load,
        highest=seen.points[-1].load,
        models=models,
        chosen=choose(models, falls=claims.peak.value is not None).name,
        check=check,
        fit=fit,
        axis=axis,
    )


def _refused(why: str, seen: Measured, axis: str) -> Scalability:
    n = len(seen.points)

    def none(unit: str = "") -> Estimate:
        return not_estimable(why, unit=unit, n=n, covers=seen.covers)

    return Scalability(
        sigma=none(),
        kappa=none(),
        lambda_=none("1/s"),
        claims=Claims(peak=none(_UNITS[axis]), peak_throughput=none("1/s"), saturation=none("1/s")),
        asymptote=none("1/s"),
        levels=n,
        refused=why,
        axis=axis,
    )


def _refusal(without_numbers: int, used: Sequence[Point], loads: str) -> str | None:
    if used and not any(point.throughput for point in used):
        return "throughput is 0 at every level: there is nothing that a law could describe"
    if len(used) < MIN_LEVELS:
        have = agreeing(without_numbers, "have")
        without = f" ({without_numbers} more {have} no numbers)" if without_numbers else ""
        levels = "one valid level" if len(used) == 1 else f"{len(used)} valid levels"
        return f"{levels}{without}; the law needs at least {MIN_LEVELS}"
    low, high = used[0].load, used[-1].load
    if high < MIN_SPREAD * low:
        return (
            f"{loads} went from {low:.3g} to {high:.3g} only; "
            f"the law needs a factor of {MIN_SPREAD:g}"
        )
    return None


def _fit(seen: Measured) -> tuple[UslFit, FitCheck]:
    """Fit every measurement, but the levels' means where the law misses those.

    Repetitions tell how noisy a level is, not how wrong the law is there: where it
    bends otherwise, more of them must not make its intervals narrower. The residuals are
    those of the fit that is kept; only their spread tells how far off chance could put it.
    """
    fit = fit_usl(seen.load, seen.throughput)
    check = check_fit(seen.load, seen.throughput, fit.throughput(seen.load), PARAMETERS)
    if check.lack_of_fit_p is not None and check.lack_of_fit_p < SURELY:
        load, throughput = seen.means
        fit = fit_usl(load, throughput)
        of_means = check_fit(load, throughput, fit.throughput(load), PARAMETERS)
        check = replace(of_means, lack_of_fit_p=check.lack_of_fit_p)
    return fit, check


def _noise_hides(seen: Measured, fit: UslFit) -> str | None:
    """Say so when a level may as well have been 0 as what it was."""
    half = student_t(CONFIDENCE, fit.residual_df) * fit.residual_se
    if half < seen.throughput.max():
        return None
    return (
        f"the levels scatter so much around the law (by {fit.rmse:.3g}/s) that each may as well "
        "be 0; measure each level several times, and longer"
    )


def _estimate(
    fit: UslFit,
    coefficient: Coefficient,
    n: int,
    unit: str,
    covers: str,
    *,
    least: float = -math.inf,
) -> Estimate:
    why = "at the bound of what the law allows: its interval is an indication"
    half = student_t(CONFIDENCE, fit.residual_df) * coefficient.error
    return Estimate(
        value=coefficient.value,
        low=max(least, coefficient.value - half),
        high=coefficient.value + half,
        level=CONFIDENCE,
        n=n,
        unit=unit,
        method=METHOD,
        covers=covers,
        why=why if coefficient.at_bound else None,
    )


def _asymptote(fit: UslFit, n: int, covers: str) -> Estimate:
    """Give lambda / sigma with the delta method on its logarithm."""
    value = fit.law.asymptote
    if value is None:
        why = "the law has no contention: it knows no limit"
        return not_estimable(why, unit="1/s", n=n, covers=covers)
    gradient = [-1 / fit.law.sigma, 0.0, 1 / fit.law.lambda_]
    half = student_t(CONFIDENCE, fit.residual_df) * float(fit.error_of(gradient)[0])
    factor = math.exp(min(half, 700.0))
    bounded = fit.sigma.least > 0  # as sigma itself is shown
    return Estimate(
        value=value,
        low=value / factor,
        high=value * factor if bounded else None,
        level=CONFIDENCE,
        n=n,
        unit="1/s",
        method="lambda / sigma of the law; delta method on its logarithm",
        covers=covers,
        why=None if bounded else "contention may as well be 0, and then there is no limit",
    )


def _superlinear(points: Sequence[Point], fit: UslFit) -> str | None:
    """Say where a request in flight gave more than it did at the lowest level."""
    first = points[0]
    each = [point.throughput / point.load for point in points]
    best = max(range(len(points)), key=lambda i: each[i])
    if not each[0] or each[best] < (1 + SUPERLINEAR) * each[0] or not fit.sigma.at_bound:
        return None
    if fit.law.sigma > 0:
        return None
    at, unsure = points[best], first.high is None or points[best].low is None
    if not unsure and (at.low or 0.0) / at.load <= (first.high or 0.0) / first.load:
        return None
    return (
        f"throughput grew faster than load: a unit of it gave {each[best]:.3g}/s at "
        f"{at.load:.3g} and {each[0]:.3g}/s at {first.load:.3g}; the law does not allow "
        "that, and its contention was held at 0"
    )
