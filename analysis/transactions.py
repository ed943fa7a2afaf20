"""Transactions: the clicks of a run, each with all of its requests.

::

    intended ──wait──> request 1 ──> request 2 ──> ... ──> end
        └────────────────── latency of the click ───────────┘
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.failures import error_ratio
from analysis.quantiles import quantiles
from analysis.recording.format import Outcome
from analysis.windows import Window, open_until_s

LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

COLUMNS = (
    "persona",
    "click",
    "process",
    "user",
    "intended_s",
    "end_s",
    "open_until_s",
    "requests",
    "bad",
    "censored",
    "cancelled",
)

_NEEDED = [
    "process",
    "transaction",
    "step",
    "click",
    "persona",
    "user",
    "outcome",
    "intended_s",
    "sent_us",
    "end_s",
    "bad",
    "censored",
]


def clicks_of(samples: pd.DataFrame) -> pd.DataFrame:
    """Put the requests of each click together.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    DataFrame
        One row a click of which the first request was recorded and the step is known, in
        intended order: `persona`, `click`, `process`, `user` (null where nobody took an
        arrival); `intended_s` of its first request, `end_s` of its last, `open_until_s`
        (infinite while something of it is open); `requests` that were sent; whether any
        of them was `bad`, `censored` or `cancelled`.
    """
    if "click" not in samples:  # recorded before clicks were
        return pd.DataFrame({name: [] for name in COLUMNS})
    known = (samples["click"].notna() & samples["transaction"].notna()).to_numpy()
    rows = samples.loc[known, _NEEDED]
    process = rows["process"].to_numpy(dtype=np.int64)
    transaction = rows["transaction"].to_numpy(dtype=np.int64)
    order = np.lexsort((rows["step"].to_numpy(dtype=np.int64), transaction, process))
    rows, process, transaction = rows.iloc[order], process[order], transaction[order]
    starts = _starts(process, transaction)
    if not len(starts):
        return pd.DataFrame({name: [] for name in COLUMNS})
    first = rows.iloc[starts]
    cancelled = (rows["outcome"] == Outcome.CANCELLED.label).to_numpy()
    sent = rows["sent_us"].notna().to_numpy()
    found = pd.DataFrame(
        {
            "persona": first["persona"].astype(object).to_numpy(),
            "click": first["click"].astype(object).to_numpy(),
            "process": process[starts],
            "user": first["user"].to_numpy(dtype=float, na_value=np.nan),
            "intended_s": first["intended_s"].to_numpy(dtype=float),
            "end_s": np.maximum.reduceat(rows["end_s"].to_numpy(dtype=float), starts),
            "open_until_s": np.maximum.reduceat(open_until_s(rows), starts),
            "requests": np.add.reduceat(sent.astype(np.int64), starts),
            "bad": np.logical_or.reduceat(rows["bad"].to_numpy(dtype=bool), starts),
            "censored": np.logical_or.reduceat(rows["censored"].to_numpy(dtype=bool), starts),
            "cancelled": np.logical_or.reduceat(cancelled, starts),
        }
    )
    whole = (first["step"] == 0).to_numpy() & pd.notna(found["persona"]).to_numpy()
    return found[whole].sort_values("intended_s", kind="stable", ignore_index=True)


def _starts(
    process: npt.NDArray[np.int64], transaction: npt.NDArray[np.int64]
) -> npt.NDArray[np.intp]:
    """Find where another click begins in rows that are sorted by click."""
    other = (np.diff(process) != 0) | (np.diff(transaction) != 0)
    return (
        np.flatnonzero(np.concatenate(([True], other))) if len(process) else np.array([], np.intp)
    )


def in_window(clicks: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Take the clicks of a hold, as its requests are taken.

    Parameters
    ----------
    clicks : DataFrame
        As :func:`clicks_of` gives them.
    window : Window
        The hold.

    Returns
    -------
    DataFrame
        Those intended in it, and those intended before and open through all of it.
    """
    intended = clicks["intended_s"].to_numpy(dtype=float)
    carried = (intended < window.start_s) & (clicks["open_until_s"].to_numpy() >= window.end_s)
    inside = (intended >= window.start_s) & (intended < window.end_s)
    return clicks[inside | (carried & window.was_run)]


def transactions(clicks: pd.DataFrame) -> list[dict[str, Any]]:
    """Describe each kind of click.

    Parameters
    ----------
    clicks : DataFrame
        Of a hold, in intended order.

    Returns
    -------
    list of dict
        By persona and click: how many there were (`count`) and how many of them with a bad
        request (`bad`), the `requests` that were sent for them, the share of bad ones
        (cancelled ones do not count), and the latency of those that went well, or whose
        end nobody saw.
    """
    kinds = clicks.groupby(["persona", "click"], sort=True) if len(clicks) else ()
    return [
        {"persona": str(persona), "click": str(click), **_described(of)}
        for (persona, click), of in kinds
    ]


def _described(clicks: pd.DataFrame) -> dict[str, Any]:
    bad, cancelled = clicks["bad"].to_numpy(dtype=bool), clicks["cancelled"].to_numpy(dtype=bool)
    censored = clicks["censored"].to_numpy(dtype=bool)
    among = censored | ~(bad | cancelled)
    latency_ms = ((clicks["end_s"] - clicks["intended_s"]) * 1e3).to_numpy(dtype=float)
    found = quantiles(latency_ms[among], LEVELS.values(), censored=censored[among])
    return {
        "count": len(clicks),
        "requests": int(clicks["requests"].sum()),
        "bad": int(bad.sum()),
        "error_ratio": error_ratio(bad, bad | ~cancelled).as_dict(),
        "latency": {name: found[level].as_dict() for name, level in LEVELS.items()},
    }
