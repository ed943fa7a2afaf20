"""Why a run, or a stage of it, says nothing about the target: rows for every report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.report.tables import Document, stage_name
from analysis.report.typography import clean
from analysis.report.words import code_words, number, percent

_SHARES = 1.0
"""Limits up to here are shares of a core; beyond, a lateness in milliseconds."""

_SHARES_OF = {"littles_law": "", "generator_saturated": " of a core"}
_UNITS = {
    "clock_stepped": " s",
    "no_data": " requests",
    "records_lost": " requests",
    "generator_lost": " lost",
}
"""What the numbers of each code are; those of users and arrivals are plain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """A reason: its code, where, what was found, the two numbers, what to do.

    Attributes
    ----------
    harmful : bool
        Whether the run is invalid by it; else it is of a stage that nothing depends on.
    """

    code: str
    where: str
    message: str
    measured: str
    limit: str
    advice: str
    harmful: bool

    @property
    def sentence(self) -> str:
        """Code, what was found and allowed, and what to do, in one line."""
        said = f"{self.code}: {self.message}"
        if "allowed" not in self.message:  # most messages hold both numbers
            said += f"; measured {self.measured}, limit {self.limit}"
        return f"{said}. {self.advice}."


def reason_rows(verdict: Document) -> list[ReasonRow]:
    """List every reason: those that make the run invalid, then those of other stages.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of ReasonRow
        Empty when all of the load was delivered and seen.
    """
    harmful = (verdict.get("validity") or {}).get("reasons", [])
    harmless = [
        reason
        for stage in verdict.get("stages", [])
        for reason in stage.get("reasons", [])
        if reason not in harmful
    ]
    return [
        _row(verdict, reason, harmful=weighs)
        for weighs, reasons in ((True, harmful), (False, harmless))
        for reason in reasons
    ]


def _row(verdict: Document, reason: Document, *, harmful: bool) -> ReasonRow:
    measured, limit = reason.get("measured"), reason.get("limit")
    advice = clean(reason.get("advice"))
    # of records that were cut off nobody knows how many there were
    unknown = reason.get("code") == "records_lost" and measured == limit
    return ReasonRow(
        code=code_words(reason),
        where=stage_name(verdict, reason.get("stage")),
        message=clean(reason.get("message")),
        measured=_number(reason, measured),
        limit="more" if unknown else _number(reason, limit),
        advice=advice[:1].upper() + advice[1:],
        harmful=harmful,
    )


def _number(reason: Document, value: float | None) -> str:
    if value is None:
        return "-"
    code = str(reason.get("code"))
    if code == "generator_saturated" and not reason.get("limit"):
        return "-"  # neither a share nor a lateness: it could open no more connections
    if code == "generator_saturated" and (reason.get("limit") or 0.0) > _SHARES:
        return f"{number(value)} ms"
    if code in _SHARES_OF:
        return f"{percent(value)}{_SHARES_OF[code]}"
    unit = _UNITS.get(code, "")
    return f"{value:,.10g}{unit.replace('requests', 'request') if value == 1 else unit}"


def validity_words(verdict: Document) -> str:
    """Say in a sentence or two whether the load was delivered and seen.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Never empty.
    """
    rows = reason_rows(verdict)
    if any(row.harmful for row in rows) or not (verdict.get("validity") or {}).get("valid", True):
        return "No. The numbers below are shown, but they decide nothing about the target."
    if rows:
        return (
            "Yes, up to the required load. What follows concerns stages that nothing is decided "
            "by; they leave the fits."
        )
    return f"Every stage was: {_checked(verdict)}"


def _checked(verdict: Document) -> str:
    if verdict.get("model") == "open":
        return (
            "virtual users, arrivals, generator, clocks and records agree. Little's law says "
            "nothing of arrivals, which do not depend on how many users wait."
        )
    if not verdict.get("mix"):
        return (
            "users, generator, clocks and records agree. Little's law was not assessed: nobody "
            "knows the locustfile's think times."
        )
    assessed = not any("Little's law was not assessed" in w for w in verdict.get("warnings") or ())
    if assessed:
        return "users, generator, clocks, records and Little's law agree."
    return "users, generator, clocks and records agree; where Little's law could tell, it agrees."


def harmless_words(verdict: Document) -> Iterator[str]:
    """Say in a line for each stage what was not valid without harm.

    Parameters
    ----------
    verdict : mapping
        The document.

    Yields
    ------
    str
        Such as ``"at 400 users (stage 7): generator saturated"``.
    """
    by_stage: dict[str, list[str]] = {}
    for row in reason_rows(verdict):
        if not row.harmful:
            codes = by_stage.setdefault(row.where, [])
            if row.code not in codes:
                codes.append(row.code)
    for where, codes in by_stage.items():
        yield f"at {where}: {', '.join(codes)}"
