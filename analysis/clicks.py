"""What verdict.json says of clicks: each kind's own figures, and the mix of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.mix import achieved_mix, note
from analysis.recording.reader import Recording
from analysis.transactions import clicks_of, in_window, transactions
from analysis.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicks:
    """The clicks of one hold.

    Attributes
    ----------
    transactions : list of dict
        Figures of each kind.
    mix : list of dict
        The share of each kind that the scenario intends, and what was achieved.
    warnings : tuple of str
        Where the mix is another one than intended.
    """

    transactions: list[dict[str, Any]]
    mix: list[dict[str, Any]]
    warnings: tuple[str, ...]


def clicks_in(recording: Recording, window: Window) -> Clicks:
    """Describe the clicks of a hold.

    Parameters
    ----------
    recording : Recording
        The run.
    window : Window
        The hold.

    Returns
    -------
    Clicks
        Empty where nobody knows of clicks: a locustfile's users, an old recording.
    """
    clicks = clicks_of(recording.samples, window)
    shares = achieved_mix(recording.scenario, clicks, window)
    warning = note(shares, window, is_open=recording.scenario.load.is_open)
    stage = {"stage": window.stage}
    return Clicks(
        transactions=[stage | kind for kind in transactions(in_window(clicks, window))],
        mix=[stage | share.as_dict() | {"differs": share.strays(len(shares))} for share in shares],
        warnings=(warning,) if warning else (),
    )
