"""How the target came back from what disturbed it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from analysis.recovery import MATTERS
from analysis.report.tables import OUTCOMES, Document
from analysis.report.typography import clean
from analysis.report.words import (
    NOT_ESTIMABLE,
    Said,
    count,
    is_lower_bound,
    moment,
    number,
    quantity,
    say,
)

NO_EFFECT = "no effect seen"

_SIGNALS = {
    "p50": "p50",
    "p95": "p95",
    "goodput": "right answers",
    "bad requests": "bad requests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRow:
    """A disturbance and what followed, in words.

    Attributes
    ----------
    what : str
        ``"freeze of the server"``.
    begin, end : str
        When, in minutes and seconds of run time.
    detected : str
        How soon it could be seen, and by what in the first window.
    recovered : Said
        How long it took.
    left : str
        The level after it against the level before.
    lost : str
        What of the goodput it cost.
    degraded : bool
        Whether what was left behind is surely worse than before.
    note : str
        Why something is not said, or what it is compared with.
    """

    what: str
    begin: str
    end: str
    detected: str
    recovered: Said
    left: str
    lost: str
    degraded: bool
    note: str

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        parts = [f"{self.what} at {self.begin}", f"detected after {self.detected}"]
        if self.recovered.value == NOT_ESTIMABLE:
            return f"{parts[0]}: not estimable: {self.note}"
        if self.recovered.value == NO_EFFECT:
            return f"{parts[0]}: {NO_EFFECT}"
        censored = self.recovered.value.startswith(">=")
        parts.append(
            f"{'not recovered after' if censored else 'recovered after'} "
            f"{self.recovered.value.removeprefix('>= ')}"
        )
        parts.append(f"lost {self.lost}")
        if self.degraded:
            parts.append(f"worse than before ({self.left})")
        return f"{parts[0]}: {', '.join(parts[1:])}"


def recovery_rows(verdict: Document) -> list[RecoveryRow]:
    """Put what disturbed a run into words.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of RecoveryRow
        In the order of time; empty where nothing did.
    """
    return [_row(each) for each in (verdict.get("stability") or {}).get("recovery") or ()]


def _row(recovery: Mapping[str, Any]) -> RecoveryRow:
    time = recovery["recovery_time"]
    recovered, detected = say(time), say(recovery["detected_after"])
    without_effect = time["value"] == 0 and detected.value == NOT_ESTIMABLE
    if without_effect:
        recovered = Said(value=NO_EFFECT)
    signals = _signals(recovery["detected_by"])
    seen = detected.value != NOT_ESTIMABLE
    return RecoveryRow(
        what=clean(recovery["what"]),
        begin=moment(recovery["start_s"]),
        end="not over at the end" if recovery["end_s"] is None else moment(recovery["end_s"]),
        detected=f"{detected.value} ({signals})" if seen and signals else _dash(detected),
        recovered=recovered,
        left=_left(recovery["residual"]),
        lost=_lost(recovery),
        degraded=bool(recovery["degraded"]),
        note=_note(recovery, without_effect=without_effect),
    )


def _signals(names: Sequence[str]) -> str:
    return ", ".join(_SIGNALS.get(name, clean(name)) for name in names)


def _dash(said: Said) -> str:
    return "-" if said.value == NOT_ESTIMABLE else said.value


def _left(residual: Mapping[str, Any]) -> str:
    """Say how levels changed: p95, else p50; and goodput where it is surely less."""
    latency = (name for name in ("p95", "p50") if residual[name]["value"] is not None)
    said = [f"{name} {_growth(residual[name])}" for name in islice(latency, 1)]
    fewer = residual["goodput"]
    if fewer["high"] is not None and fewer["high"] < -MATTERS:
        said.append(f"{_SIGNALS['goodput']} {_growth(fewer)}")
    return ", ".join(said) or "-"


def _growth(change: Mapping[str, Any]) -> str:
    value = _signed(change["value"])
    return f"{value} % ({_signed(change['low'])} to {_signed(change['high'])} %)"


def _signed(ratio: float) -> str:
    sign = "+" if ratio > 0 else ""
    return f"{sign}{number(round(ratio * 100, 1), digits=2)}"


def _lost(recovery: Mapping[str, Any]) -> str:
    loss, lost = recovery["loss"], recovery["lost"]
    if loss["value"] is None:
        return "-"
    least = ">= " if is_lower_bound(loss) else ""
    if loss["value"] == 0:
        return "nothing so far" if least else "nothing"
    return (
        f"{least}{quantity(loss['value'], 's', down=bool(least))} of full outage, "
        f"{lost['value']:,.0f} answers"
    )


def _note(recovery: Mapping[str, Any], *, without_effect: bool) -> str:
    time, band = recovery["recovery_time"], recovery["band"]
    if band is None:
        return clean(time["why"])
    healthy = [
        f"{name} up to {quantity(band[key], 'ms')}"
        for name, key in (("p50", "p50_ms"), ("p95", "p95_ms"))
        if band[key] is not None
    ]
    healthy.append(f"right answers from {quantity(band['goodput_least_rps'], '1/s')}")
    said = f"in windows of {quantity(recovery['window_s'], 's')}; healthy: {', '.join(healthy)}"
    if set(recovery["signals"]) - set(recovery["detected_by"]):
        said += f"; out of that until it was back: {_signals(recovery['signals'])}"
    told = time["why"] and not without_effect and time["value"] != 0
    return f"{clean(time['why'])}; {said}" if told else said


def recovery_words(verdict: Document) -> list[str]:
    """Say how the target came back, a sentence for each disturbance.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of str
        In the order of time.
    """
    return [row.sentence for row in recovery_rows(verdict)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstRow:
    """An error burst in words."""

    begin: str
    end: str
    bad: str
    requests: str
    outcomes: str
    during: str


def burst_rows(verdict: Document) -> list[BurstRow]:
    """Put error bursts into words.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of BurstRow
        In the order of time; empty where bad requests came as chance puts them.
    """
    return [
        BurstRow(
            begin=moment(burst["start_s"]),
            end=moment(burst["end_s"]),
            bad=count(burst["bad"]),
            requests=count(burst["requests"]),
            outcomes=", ".join(
                f"{OUTCOMES.get(name, clean(name))} {count(n)}"
                for name, n in burst["outcomes"].items()
            ),
            during=clean(burst["during"] or "nothing known"),
        )
        for burst in (verdict.get("stability") or {}).get("bursts") or ()
    ]
