"""The rows that every report shows, in words: one place decides what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.limits import limit_of
from analysis.report.load_names import level_text, unit_of_stage
from analysis.report.typography import clean
from analysis.report.words import Said, code_words, count, is_lower_bound, quantity, say
from scenarios.assertions import Assertion, Metric, parse_assertion

Document = Mapping[str, Any]
"""verdict.json, or a part of it."""

OUTCOMES = {
    "ok": "ok",
    "check_failed": "wrong answer",
    "http_error": "HTTP error",
    "rate_limited": "rate limited",
    "connection_error": "connection error",
    "timeout": "timeout",
    "unfinished": "unfinished",
    "missed": "never sent",
    "cancelled": "cancelled by the harness",
    "open": "still open",
}
WHOLE_RUN = "the whole run"
NOT_BAD = frozenset({"ok", "cancelled"})
NOTHING = Said(value="-")
"""What stands for a number of something that was not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """A budget, its measurement and its verdict; `notes` are `why` and why it was added."""

    subject: str
    assertion: str
    measured: Said
    beyond: Said | None
    allowed: str
    where: str
    verdict: str
    severity: str
    why: str
    notes: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it was decided, inside a sentence."""
        return _inside(self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A stage or an endpoint: rates, latencies, errors."""

    name: str
    requests: str
    bad: str
    unfinished: str
    error_ratio: Said
    throughput: Said
    in_flight: Said
    p50: Said
    p95: Said
    p99: Said
    service_p95: Said
    verdict: str
    required: bool
    valid: bool
    was_run: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRow:
    """A row of the scorecard."""

    criterion: str
    indicator: str
    expected: str
    whose: str
    actual: Said
    difference: str
    verdict: str
    next: str


def parsed(budget: Document) -> Assertion | None:
    """Parse a budget's assertion.

    Parameters
    ----------
    budget : mapping
        As verdict.json holds it.

    Returns
    -------
    Assertion or None
        None when this version does not know its words.
    """
    try:
        return parse_assertion(str(budget.get("assertion", "")))
    except ValueError:
        return None


def stage_name(verdict: Document, index: int | None) -> str:
    """Name a stage by its load and number.

    Parameters
    ----------
    verdict : mapping
        The document.
    index : int or None
        Of the stage, from 0; None for what was decided over the whole run.

    Returns
    -------
    str
        For example ``"200 users (stage 3)"``, or :data:`WHOLE_RUN`.
    """
    if index is None:
        return WHOLE_RUN
    for stage in verdict.get("stages", []):
        if stage.get("stage") == index:
            return f"{level_text(stage['level'])} {unit_of_stage(stage)} (stage {index + 1})"
    return f"stage {index + 1}"


def shown_stage(verdict: Document) -> int | None:
    """Tell of which stage the endpoints are shown; None where there are none."""
    indices = {int(part["stage"]) for part in verdict.get("endpoints", []) if "stage" in part}
    return indices.pop() if len(indices) == 1 else None


def where(verdict: Document, index: int | None) -> str:
    """Name a stage inside a sentence.

    Parameters
    ----------
    verdict : mapping
        The document.
    index : int or None
        Of the stage, from 0; None for what was decided over the whole run.

    Returns
    -------
    str
        For example ``"at 200 users (stage 3)"`` or ``"in the whole run"``.
    """
    return _inside(stage_name(verdict, index))


def _inside(name: str) -> str:
    return f"in {name}" if name == WHOLE_RUN else f"at {name}"


def budget_rows(verdict: Document) -> list[BudgetRow]:
    """List the budgets, broken ones first.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of BudgetRow
        Failed, undecided, warned, passed; within these as the scenario has them.
    """
    order = ("failed", "inconclusive", "invalid", "warned", "unjudged", "passed")
    budgets = sorted(
        verdict.get("budgets", []),
        key=lambda budget: order.index(budget["verdict"]) if budget["verdict"] in order else 0,
    )
    return [_budget_row(verdict, budget) for budget in budgets]


def _budget_row(verdict: Document, budget: Document) -> BudgetRow:
    assertion = parsed(budget)
    measured = dict(budget.get("measured") or {})
    if assertion is not None and assertion.metric is Metric.APDEX:
        measured["unit"] = ""  # a score, not a share
    beyond = budget.get("share_beyond")
    level = assertion.level if assertion is not None else None
    allowed = f"{(1 - level) * 100:.6g} %" if beyond and level is not None else ""
    notes = [clean(budget[name]) for name in ("implied", "why") if budget.get(name)]
    return BudgetRow(
        subject=clean(budget.get("subject")),
        assertion=clean(budget.get("assertion")),
        measured=say(measured, limit=None if assertion is None else limit_of(assertion)),
        beyond=say(beyond, limit=None if level is None else 1 - level) if beyond else None,
        allowed=allowed,
        where=stage_name(verdict, budget.get("stage")),
        verdict=clean(budget.get("verdict")),
        severity=clean(budget.get("severity") or "fail"),
        why=clean(budget.get("why") or ""),
        notes=tuple(notes),
    )


def stage_rows(verdict: Document) -> list[PartRow]:
    """List the stages in the order in which they ran.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of PartRow
        Named by their users.
    """
    required = verdict.get("required")
    return [
        _part_row(stage, name=level_text(stage["level"]), required=stage["level"] == required)
        for stage in verdict.get("stages", [])
    ]


def endpoint_rows(verdict: Document) -> list[PartRow]:
    """List the endpoints in the hold of the required load, most requested first.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of PartRow
        Named by method and path.
    """
    endpoints = sorted(verdict.get("endpoints", []), key=lambda part: -part.get("requests", 0))
    return [_part_row(endpoint, name=clean(endpoint.get("name"))) for endpoint in endpoints]


def _part_row(part: Document, *, name: str, required: bool = False) -> PartRow:
    latency, service = part.get("latency") or {}, part.get("service_time") or {}
    was_run = hold_was_run(part)

    def told(estimate: Document | None) -> Said:
        return say(estimate) if was_run else NOTHING

    def counted(key: str) -> str:
        return count(part.get(key)) if was_run else NOTHING.value

    return PartRow(
        name=name,
        requests=counted("requests"),
        bad=counted("bad"),
        unfinished=counted("unfinished"),
        error_ratio=told(part.get("error_ratio")),
        throughput=told(part.get("throughput")),
        in_flight=told(part.get("in_flight")),
        p50=told(latency.get("p50")),
        p95=told(latency.get("p95")),
        p99=told(latency.get("p99")),
        service_p95=told(service.get("p95")),
        verdict=clean(part.get("verdict") or ""),
        required=required,
        valid=part.get("valid", True),
        was_run=was_run,
        notes=tuple(_notes(part, was_run=was_run)),
    )


def hold_was_run(part: Document) -> bool:
    """Whether a stage's hold was reached; an endpoint has none of its own."""
    start_s, end_s = part.get("hold") or (0.0, 1.0)
    return bool(end_s > start_s)


def _notes(part: Document, *, was_run: bool) -> Iterator[str]:
    if not was_run:
        yield "not run"
        return
    if part.get("complete") is False:
        yield "not held to its end"
    if not part.get("judged", True):
        yield "beyond the required load: it decides nothing"
    if part.get("by_phase"):
        yield "contains what disturbed it: see By phase"
    steady = part.get("steady") or {}
    if steady.get("verdict") == "failed":
        yield f"no steady state: {clean(steady.get('why'))}"
    codes = dict.fromkeys(code_words(reason) for reason in part.get("reasons", []))
    if codes:
        yield f"not valid: {', '.join(codes)}"


def indicator_rows(verdict: Document) -> list[IndicatorRow]:
    """List the scorecard.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of IndicatorRow
        In the document's order.
    """
    return [
        IndicatorRow(
            criterion=clean(row.get("criterion")),
            indicator=clean(row.get("indicator")),
            expected=clean(row.get("expected") or "no expectation stated"),
            whose=_whose(row),
            actual=say(row.get("actual")),
            difference=_difference(row),
            verdict=clean(row.get("verdict")),
            next=clean(row.get("next") or "-"),
        )
        for row in verdict.get("scorecard", [])
    ]


def _whose(row: Document) -> str:
    """Owner and source of an expectation; a miss that is nobody's is told as such."""
    if not row.get("expected"):
        return "-"
    owner = clean(row.get("owner") or "no owner stated")
    return f"{owner}; {clean(row.get('source') or 'no source stated')}"


def _difference(row: Document) -> str:
    """Positive is worse; in per cent of what was expected, too; ratios in points."""
    difference = row.get("difference")
    if not isinstance(difference, int | float):
        return "-"
    bound = _bound(row)
    unit = str(row.get("unit") or "")
    in_points = unit == "ratio"
    said = _signed(difference * 100, "", bound) if in_points else _signed(difference, unit, bound)
    said = f"{bound}{said}{' points' if in_points else ''}"
    relative = row.get("difference_percent")
    if not isinstance(relative, int | float):
        return said
    return f"{said} ({_signed(relative / 100, 'ratio', bound)})"


def _bound(row: Document) -> str:
    """Say what a difference is when what was measured is known to be at least so much."""
    if not is_lower_bound(row.get("actual") or {}):
        return ""
    more_is_better = str(row.get("expected") or "").startswith(">")
    return "<= " if more_is_better else ">= "


def _signed(value: float, unit: str, bound: str) -> str:
    """Write a number with its sign, a bound rounded to the side on which it stays true."""
    up = bound == "<= "
    text = quantity(-value if up else value, unit, down=bool(bound))
    if up and value:
        text = text[1:] if text.startswith("-") else f"-{text}"
    return f"+{text}" if value > 0 else text
