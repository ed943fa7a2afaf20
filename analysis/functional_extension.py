"""The scorecard's rows on a change of the system: with a module, against without.

What was changed says of which criterion a row is::

    modules were added, or the system is another one (URL, commit)    functional extension
    anything else (options, workers, threads, database)               the metric's own

A module that came together with something else is no answer about the module: inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.indicator import (
    AVAILABILITY,
    EXTENSION,
    RESPONSE_TIME,
    USER_GROWTH,
    Indicator,
    next_action,
)
from scenarios.model import Expectation, Target

MODULES = "target.extensions"
_ANOTHER = frozenset({"target.url", "target.app", "target.commit"})
_ASIDE = frozenset({"target.test_mode", "target.database_version", "target.server"})
"""What follows from something else, or changes nothing that is measured."""

_OF_METRIC = {"throughput": USER_GROWTH, "error_ratio": AVAILABILITY}
_NAMED = 3

VERDICTS = {
    "regressed": Verdict.FAILED,
    "not regressed": Verdict.PASSED,
    "inconclusive": Verdict.INCONCLUSIVE,
}
"""What a comparison's answer is on the scorecard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What two systems differ in.

    Attributes
    ----------
    keys : tuple of str
        Dotted, below ``target``.
    added : tuple of str
        Modules that the candidate has and the base has not.
    removed : tuple of str
        Modules that the base has and the candidate has not.
    """

    keys: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_extension(self) -> bool:
        """Whether functions of the system were added or changed."""
        return bool(self.added and not self.removed) or bool(_ANOTHER & set(self.keys))

    @property
    def beside(self) -> tuple[str, ...]:
        """What was changed beside the functions."""
        return tuple(k for k in self.keys if k != MODULES and k not in _ANOTHER | _ASIDE)

    @property
    def words(self) -> str:
        """What is held against what."""
        if self.added and not self.removed:
            return f"with {', '.join(self.added)}, against without"
        if not self.keys:
            return "candidate against base"
        more = f" and {len(self.keys) - _NAMED} more" if len(self.keys) > _NAMED else ""
        return f"after the change of {', '.join(self.keys[:_NAMED])}{more}, against before"


def changed_targets(base: Target, candidate: Target) -> Changed:
    """Find what two targets of a scenario differ in.

    Parameters
    ----------
    base, candidate : Target
        As two scenarios have them.

    Returns
    -------
    Changed
        An option of the CRM by its own key.
    """
    keys = [
        f"target.{field.name}"
        for field in fields(Target)
        if field.name != "options" and getattr(base, field.name) != getattr(candidate, field.name)
    ]
    options = sorted(set(base.options) | set(candidate.options))
    keys += [
        f"target.options.{name}"
        for name in options
        if base.options.get(name) != candidate.options.get(name)
    ]
    return _changed(keys, base.extensions, candidate.extensions)


def changed_manifests(
    keys: Sequence[str], base: Mapping[str, Any], candidate: Mapping[str, Any]
) -> Changed:
    """Find what the systems of recorded runs differ in.

    Parameters
    ----------
    keys : sequence of str
        In which the runs differ, dotted.
    base, candidate : mapping
        Manifest of a run of each side.

    Returns
    -------
    Changed
        Of the system alone.
    """
    modules = [
        tuple((manifest.get("target") or {}).get("extensions") or ())
        for manifest in (base, candidate)
    ]
    return _changed([key for key in keys if key.startswith("target.")], *modules)


def _changed(keys: Sequence[str], before: Sequence[str], after: Sequence[str]) -> Changed:
    return Changed(
        keys=tuple(keys),
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
    )


def tolerance_source(tolerance: float) -> str:
    """Say where the expectation comes from that a change for the worse is small.

    Parameters
    ----------
    tolerance : float
        0.05 for 5 %, or for five points.

    Returns
    -------
    str
        A kind of source, and what it is.
    """
    return f"assumption: the tolerance of the comparison, {100 * tolerance:.6g} %"


def at_most(limit: float, *, lower_is_better: bool) -> str:
    """Write a limit on a ratio.

    Parameters
    ----------
    limit : float
        Of after / before.
    lower_is_better : bool
        Which way is worse.

    Returns
    -------
    str
        For example ``"<= 1.05 times the base"``.
    """
    return f"{'<=' if lower_is_better else '>='} {limit:.4g} times the base"


def change_row(
    *,
    of_what: str,
    metric: str,
    actual: Estimate,
    tolerance: float,
    lower_is_better: bool,
    verdict: Verdict,
    changed: Changed,
    owner: str | None,
    advice: str | None = None,
) -> Indicator:
    """Write what came of a change beside what was expected of it.

    Parameters
    ----------
    of_what : str
        What was compared, as in ``"p95 of all requests"``.
    metric : str
        Name of the indicator: which criterion it is of.
    actual : Estimate
        after / before; after - before for shares of bad requests, in unit ``"ratio"``.
    tolerance : float
        Change for the worse that does not matter: 0.05 for 5 %, or for five points.
    lower_is_better : bool
        Which way is worse.
    verdict : Verdict
        What came of it.
    changed : Changed
        What the two sides differ in.
    owner : str or None
        Whose the expectation is.
    advice : str, optional
        What to do where there is no answer.

    Returns
    -------
    Indicator
        Inconclusive where a module was added together with something else.
    """
    criterion = EXTENSION if changed.is_extension else _OF_METRIC.get(metric, RESPONSE_TIME)
    if actual.unit == "ratio":
        limit, expected = tolerance, f"<= {100 * tolerance:.6g} points more than the base"
    else:
        limit = 1 + tolerance if lower_is_better else 1 / (1 + tolerance)
        expected = at_most(limit, lower_is_better=lower_is_better)
    apart: float | None = None
    if actual.value is not None:
        apart = actual.value - limit if lower_is_better else limit - actual.value
    mixed = changed.beside if changed.is_extension else ()
    if mixed and verdict in {Verdict.PASSED, Verdict.FAILED}:
        verdict = Verdict.INCONCLUSIVE
        advice = f"change the functions alone: {', '.join(mixed)} changed as well"
    shown = str(verdict)
    if verdict is Verdict.FAILED:
        advice = "see where the time goes in a run of each side"
    return Indicator(
        criterion=criterion,
        indicator=f"{of_what}, {changed.words}",
        expected=expected,
        expectation=Expectation(owner=owner, source=tolerance_source(tolerance)),
        actual=actual,
        difference=apart,
        difference_percent=None if apart is None else 100 * apart / limit,
        verdict=shown,
        next=(advice if verdict is not Verdict.PASSED else None) or next_action(criterion, shown),
    )
