"""What one run of a duel says of a metric: its value at the required stage, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analysis.decision import Verdict

SUBJECT = "all"


class Metric(StrEnum):
    """What two sides can be held against each other by."""

    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    AVG = "avg"
    THROUGHPUT = "throughput"

    @property
    def unit(self) -> str:
        """Of its values."""
        return "1/s" if self is Metric.THROUGHPUT else "ms"

    @property
    def worse(self) -> int:
        """Sign of a change for the worse."""
        return -1 if self is Metric.THROUGHPUT else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one run says of the metric.

    Attributes
    ----------
    value : float or None
        In the metric's unit.
    why : str
        Why there is none.
    invalid : bool
        Whether the run was invalid: the harness cannot say.
    absent : bool
        Whether nothing that is asked for was requested: nor would the same load do it again.
    """

    value: float | None = None
    why: str = ""
    invalid: bool = False
    absent: bool = False


def read(verdict: Mapping[str, Any], metric: Metric, subject: str) -> Reading:
    """Read the metric off a run.

    Parameters
    ----------
    verdict : mapping
        As in verdict.json.
    metric : Metric
        Which.
    subject : str
        ``"all"``, or an endpoint.

    Returns
    -------
    Reading
        At the required stage. Without a value when the run is invalid or was cut
        short, or the value is none that a ratio can be made of.
    """
    if verdict["verdict"] == Verdict.INVALID:
        return Reading(why=f"invalid: {verdict['why']}", invalid=True)
    if not verdict["ended"]["complete"]:
        return Reading(why=f"cut short ({verdict['ended']['why']}): {verdict['why']}")
    estimate = estimates_of(verdict).get(subject, {}).get(metric)
    if estimate is None:
        known = ", ".join(sorted(estimates_of(verdict)))
        why = f"{subject} was sent no request in the hold; requested were: {known}"
        return Reading(why=why, absent=True)
    value = estimate["value"]
    if value is None or value <= 0:
        return Reading(why=f"{subject}: no {metric}: {estimate['why'] or f'it is {value}'}")
    if estimate["high"] is None and estimate["low"] == value:
        return Reading(why=f"{subject}: {metric} is at least {value:.4g}: {estimate['why']}")
    return Reading(value=float(value))


def estimates_of(verdict: Mapping[str, Any]) -> dict[str, dict[Metric, Mapping[str, Any]]]:
    """Gather what a run measured at its required stage.

    Parameters
    ----------
    verdict : mapping
        As in verdict.json.

    Returns
    -------
    dict of str to dict of Metric to mapping
        Estimates by subject: ``"all"``, and each endpoint that was sent a request.
    """
    stages = [s for s in verdict["stages"] if s["level"] == verdict["required"]]
    stage = stages[-1]
    return {
        SUBJECT: _metrics(stage),
        **{endpoint["name"]: _metrics(endpoint) for endpoint in stage["endpoints"]},
    }


def _metrics(measured: Mapping[str, Any]) -> dict[Metric, Mapping[str, Any]]:
    latency = measured["latency"]
    return {
        Metric.P50: latency["p50"],
        Metric.P95: latency["p95"],
        Metric.P99: latency["p99"],
        Metric.AVG: latency["avg"],
        Metric.THROUGHPUT: measured["throughput"],
    }
