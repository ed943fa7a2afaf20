"""What a run says in one number each: the indicators of a before/after table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from analysis.estimate import Estimate

ALL = "all"
ERRORS = "error_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A number of a run, and which way it is better.

    Attributes
    ----------
    name : str
        ``"p95"``, ``"throughput"``, ...
    title : str
        For people.
    unit : str
        As an Estimate names it.
    lower_is_better : bool
        Whether less is better.
    """

    name: str
    title: str
    unit: str
    lower_is_better: bool = True


LATENCIES = ("p50", "p95", "p99", "avg")

INDICATORS = {
    **{name: Indicator(name=name, title=f"{name} latency", unit="ms") for name in LATENCIES},
    "throughput": Indicator(
        name="throughput", title="ok requests", unit="1/s", lower_is_better=False
    ),
    ERRORS: Indicator(name=ERRORS, title="bad requests", unit="ratio"),
}

METRICS = tuple(name for name in INDICATORS if name != ERRORS)
"""What a comparison may be decided by; errors always count as well."""

_ESTIMATE = tuple(field.name for field in fields(Estimate))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunValues:
    """A run's numbers at its required stage.

    Attributes
    ----------
    run : str
        Name of the run.
    stage : mapping
        The stage as verdict.json holds it.
    """

    run: str
    stage: Mapping[str, Any]

    @property
    def subjects(self) -> tuple[str, ...]:
        """``"all"`` and every endpoint, by name."""
        return (ALL, *(str(part["name"]) for part in self.stage["endpoints"]))

    def of(self, subject: str, indicator: str) -> Estimate | None:
        """Look a number up.

        Parameters
        ----------
        subject : str
            ``"all"`` or an endpoint.
        indicator : str
            One of :data:`INDICATORS`.

        Returns
        -------
        Estimate or None
            Of this run; None when the endpoint was sent no request in it.
        """
        part = self._part(subject)
        if part is None:
            return None
        found = part["latency"][indicator] if indicator in LATENCIES else part[indicator]
        return Estimate(**{name: found[name] for name in _ESTIMATE})

    def _part(self, subject: str) -> Mapping[str, Any] | None:
        if subject == ALL:
            return self.stage
        parts = (part for part in self.stage["endpoints"] if part["name"] == subject)
        return next(parts, None)


def required_stage(verdict: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the stage that is compared: the last one at the required load.

    Parameters
    ----------
    verdict : mapping
        verdict.json of a run.

    Returns
    -------
    mapping or None
        None when it was not held to its end.
    """
    stages = [stage for stage in verdict["stages"] if stage["level"] == verdict["required"]]
    return stages[-1] if stages and all(stage["complete"] for stage in stages) else None


def subjects_of(runs: Sequence[RunValues]) -> tuple[str, ...]:
    """List what there is to compare.

    Parameters
    ----------
    runs : sequence of RunValues
        Of both sides.

    Returns
    -------
    tuple of str
        ``"all"``, then every endpoint of any run by name.
    """
    found = {subject for run in runs for subject in run.subjects}
    return (ALL, *sorted(found - {ALL}))
