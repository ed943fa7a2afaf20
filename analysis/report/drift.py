"""What moved over the hold of the required load: rows for reports, a line for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.drift import LONG_S
from analysis.report.tables import Document
from analysis.report.typography import clean
from analysis.report.words import NOT_ESTIMABLE, Said, moment, quantity, say
from scenarios.units import in_long_unit

NAMES = {
    "med": "median latency",
    "avg": "avg latency",
    "throughput": "throughput",
    "memory": "memory of the target",
    "files": "open files of the target",
    "connections": "database connections in use",
}
_FEW = "not enough data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One series: how high it stood, how it moved, and what that means."""

    name: str
    verdict: str
    level: Said
    over_hold: Said
    per_hour: Said
    used_up: Said
    why: str


def name_of(part: Document) -> str:
    """Name a series in words.

    Parameters
    ----------
    part : mapping
        A drift of the document.

    Returns
    -------
    str
        Such as ``"p95 latency of GET /customers"``.
    """
    metric, subject = clean(part.get("metric")), clean(part.get("subject"))
    level = metric.removeprefix("p(").removesuffix(")")
    name = NAMES.get(metric) or f"p{level} latency"
    return name if subject == "all" else f"{name} of {subject}"


def short_name_of(part: Document) -> str:
    """Name a series beside an axis.

    Parameters
    ----------
    part : mapping
        A drift of the document.

    Returns
    -------
    str
        Such as ``"p95 latency"``, ``"memory"``.
    """
    name = name_of({**part, "subject": "all"})
    return name.removesuffix(" of the target").removesuffix(" in use").removeprefix("database ")


def drift_rows(verdict: Document) -> list[DriftRow]:
    """List the series that were looked at.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of DriftRow
        In the order of the document.
    """
    return [
        DriftRow(
            name=name_of(part),
            verdict=clean(part.get("verdict")),
            level=_plain(part.get("level")),
            over_hold=_plain(part.get("over_hold")),
            per_hour=_plain(part.get("slope_per_h") if _is_long(part) else None),
            used_up=_in_time(part.get("exhausted_s")),
            why=clean(part.get("why")),
        )
        for part in _looked_at(verdict)
    ]


def _looked_at(verdict: Document) -> list[Document]:
    return list((verdict.get("stability") or {}).get("drift") or ())


def _is_long(part: Document) -> bool:
    """Tell whether an hour can be spoken of: seconds give alarming rates of nothing."""
    start_s, end_s = part.get("span") or part.get("hold") or (0.0, 0.0)
    return bool(end_s - start_s >= LONG_S)


def _plain(estimate: Document | None) -> Said:
    """Leave out why there is no number: it stands in the row once."""
    said = say(estimate)
    return (
        Said(value="-")
        if said.value == NOT_ESTIMABLE
        else Said(value=said.value, interval=said.interval)
    )


def _in_time(estimate: Document | None) -> Said:
    if estimate is None or estimate.get("value") is None:
        return Said(value="-")
    low, high = (_long(estimate.get(end)) for end in ("low", "high"))
    return Said(value=_long(estimate["value"]), interval=f"{low} to {high}")


def _long(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return quantity(*in_long_unit(seconds))


def is_told(verdict: Document) -> bool:
    """Tell whether rows say more than that there is too little data.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    bool
        False for the runs of seconds that demos are.
    """
    return not all(str(part.get("why", "")).startswith(_FEW) for part in _looked_at(verdict))


def drift_words(verdict: Document) -> str:
    """Say what was looked at, and in which part of the run.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        A sentence or two; empty where nothing was looked at.
    """
    parts = _looked_at(verdict)
    if not parts:
        return ""
    start_s, end_s = parts[0]["hold"]
    if not is_told(verdict):
        return (
            f"Drift was looked for in the hold of the required load and cannot be told: "
            f"{clean(parts[0]['why'])}."
        )
    found = sum(part.get("verdict") == "failed" for part in parts)
    which = "Nothing" if found == 0 else "One" if found == 1 else str(found)
    return (
        f"{which} of {len(parts)} series moved for the worse by 5 % or more, and surely, over the "
        f"hold of the required load ({moment(start_s)} to {moment(end_s)} min of the run). "
        f"Rates per hour are given for holds of half an hour and more."
    )


def drift_lines(verdict: Document) -> list[str]:
    """Say what drifted, a line each.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of str
        Empty where nothing was found.
    """
    return [
        f"{name_of(part)} {clean(part['why'])}"
        for part in _looked_at(verdict)
        if part.get("verdict") == "failed"
    ]
