"""Clicks and their mix, as every report shows them."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.tables import Document, stage_name
from analysis.report.typography import clean
from analysis.report.words import Said, count, number, percent, say


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickRow:
    """One kind of click: how often, with how many requests, how long it took."""

    persona: str
    click: str
    total: str
    requests: str
    bad: str
    error_ratio: Said
    p50: Said
    p95: Said
    p99: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class MixRow:
    """The share of one kind of click, intended and achieved."""

    persona: str
    click: str
    intended: str
    achieved: Said
    difference: str
    differs: bool


def click_rows(verdict: Document) -> list[ClickRow]:
    """List the kinds of clicks in the hold of the required load, by persona, most frequent first.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of ClickRow
        Empty where nobody knows of clicks.
    """
    kinds = sorted(
        verdict.get("transactions") or (), key=lambda kind: (kind["persona"], -kind["count"])
    )
    return [
        ClickRow(
            persona=named(kind["persona"]),
            click=named(kind["click"]),
            total=count(kind["count"]),
            requests=number(kind["requests"] / kind["count"]) if kind["count"] else "-",
            bad=count(kind["bad"]),
            error_ratio=say(kind["error_ratio"]),
            p50=say(kind["latency"]["p50"]),
            p95=say(kind["latency"]["p95"]),
            p99=say(kind["latency"]["p99"]),
        )
        for kind in kinds
    ]


def mix_rows(verdict: Document) -> list[MixRow]:
    """List the shares of clicks, intended and achieved, as the scenario has them.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of MixRow
        Empty where nothing was intended.
    """
    return [
        MixRow(
            persona=named(share["persona"]),
            click=named(share["click"]),
            intended=percent(share["intended"]),
            achieved=say(share["achieved"]),
            difference=_points(share["difference_pp"]),
            differs=bool(share.get("differs")),
        )
        for share in verdict.get("mix_achieved") or ()
    ]


def _points(difference_pp: float | None) -> str:
    """Write percentage points with their sign; hundredths are enough."""
    if difference_pp is None:
        return "-"
    text = f"{difference_pp:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\u2212")


def clicks_at(verdict: Document) -> str:
    """Name the stage that clicks and mix are of; empty where there are none."""
    for part in (*(verdict.get("transactions") or ()), *(verdict.get("mix_achieved") or ())):
        return stage_name(verdict, part["stage"])
    return ""


def mix_words(verdict: Document) -> str:
    """Say whether the mix was the intended one.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    str
        Empty where nothing was intended.
    """
    rows = mix_rows(verdict)
    if not rows:
        return ""
    stray = [f"{row.click} of {row.persona}" for row in rows if row.differs]
    if not stray:
        return (
            "The mix was the intended one, as far as chance lets tell: no kind of click differs by "
            "more than chance explains, and by a percentage point."
        )
    verb = "differs" if len(stray) == 1 else "differ"
    return (
        f"The mix was another one than intended: {', '.join(stray)} {verb} by more than chance "
        "explains."
    )


def named(name: object) -> str:
    """Write the name of a persona or a click for people."""
    return clean(name).replace("_", " ")
