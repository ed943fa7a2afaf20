"""Transactions: the clicks of a run, each with all of its requests.

::

    intended ──wait──> request 1 ──> request 2 ──> ... ──> end
        └────────────────── latency of the click ───────────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.failures import error_ratio
from analysis.quantiles import quantiles
from analysis.recording.format import Outcome
from analysis.windows import Window, columns_of, in_intended_order, open_until_s

Rows = npt.NDArray[np.int32]

_SPARSE = 20
"""Numbers of clicks may be so many times as many as rows, before they are numbered anew."""

_NEEDED = (
    "process", "transaction", "step", "click", "persona", "user", "outcome",
    "intended_s", "sent_us", "end_s", "bad", "censored",
)  # fmt: skip

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


def clicks_of(samples: pd.DataFrame, window: Window | None = None) -> pd.DataFrame:
    """Put the requests of each click together.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.
    window : Window, optional
        Only clicks that were open at some moment of it.

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
    known = samples["click"].notna() & samples["transaction"].notna()
    samples = in_intended_order(_chosen(columns_of(samples, *_NEEDED), known.to_numpy()))
    if window is not None:
        samples = _chosen(samples, _touching(samples, window))
    of = _grouped(samples)
    ends = {
        "end_s": of.over(samples["end_s"].to_numpy(), np.maximum),
        "open_until_s": of.over(open_until_s(samples), np.maximum),
    }
    intended_s = samples["intended_s"].to_numpy()[of.first]
    chosen = samples["persona"].notna().to_numpy()[of.first]
    if window is not None:
        chosen &= (ends["open_until_s"] > window.start_s) | (intended_s >= window.start_s)
        chosen &= intended_s < window.end_s
    cancelled = (samples["outcome"] == Outcome.CANCELLED.label).to_numpy()
    sent = samples["sent_us"].notna().to_numpy().astype(np.int32)
    found = ends | {
        "requests": of.over(sent, np.add),
        "bad": of.over(samples["bad"].to_numpy(), np.logical_or),
        "censored": of.over(samples["censored"].to_numpy(), np.logical_or),
        "cancelled": of.over(cancelled, np.logical_or),
    }
    begun = columns_of(samples, "persona", "click", "process", "user", "intended_s")
    begun = begun.iloc[of.first[chosen]].reset_index(drop=True)
    begun["user"] = begun["user"].astype(float)
    return begun.assign(**{name: values[chosen] for name, values in found.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grouped:
    """Rows by click.

    Attributes
    ----------
    first : ndarray, shape (clicks,)
        The row of each click's first request, rising.
    rest : ndarray, shape (n,)
        The rows of its other requests.
    click : ndarray, shape (n,)
        Of which click each of them is.
    """

    first: Rows
    rest: npt.NDArray[np.intp]
    click: Rows

    def over(self, values: npt.NDArray[Any], joined: np.ufunc) -> npt.NDArray[Any]:
        """Join a value of each row over the requests of each click."""
        found = values[self.first]
        joined.at(found, self.click, values[self.rest])
        return found


def _chosen(samples: pd.DataFrame, rows: npt.NDArray[np.bool_]) -> pd.DataFrame:
    return samples if rows.all() else samples[rows]


def _touching(samples: pd.DataFrame, window: Window) -> npt.NDArray[np.bool_]:
    """Flag all requests of the clicks of which one was open in a window."""
    intended_s = samples["intended_s"].to_numpy()
    there = (open_until_s(samples) > window.start_s) | (intended_s >= window.start_s)
    there &= intended_s < window.end_s
    number = _numbered(samples)
    touched = np.zeros(number.max(initial=-1) + 1, dtype=np.bool_)
    touched[number[there]] = True
    return np.asarray(touched[number])


def _grouped(samples: pd.DataFrame) -> _Grouped:
    number = _numbered(samples)
    first = _firsts(samples, number)
    click_of = np.full(number.max(initial=-1) + 1, -1, dtype=np.int32)
    click_of[number[first]] = np.arange(len(first))
    click = click_of[number]
    click[first] = -1
    rest = np.flatnonzero(click >= 0)
    return _Grouped(first=first, rest=rest, click=click[rest])


def first_requests(samples: pd.DataFrame) -> Rows:
    """Find the first request of each click.

    Parameters
    ----------
    samples : DataFrame
        Samples of a hold in intended order, of clicks that are known.

    Returns
    -------
    ndarray, shape (clicks,)
        Positions of the rows, rising; a click whose first request is not there has none.
    """
    return _firsts(samples, _numbered(samples))


def _firsts(samples: pd.DataFrame, number: npt.NDArray[Any]) -> Rows:
    begins = np.flatnonzero(samples["step"].to_numpy() == 0).astype(np.int32)
    row_of = np.full(number.max(initial=-1) + 1, -1, dtype=np.int32)
    row_of[number[begins[::-1]]] = begins[::-1]  # backwards: the first of several stays
    return np.sort(row_of[row_of >= 0])


def _numbered(samples: pd.DataFrame) -> npt.NDArray[Any]:
    """Give each row the number of its click, so that few numbers are of no click."""
    process, transaction = samples["process"].to_numpy(), samples["transaction"].to_numpy()
    width = int(transaction.max(initial=0)) + 1
    most = (int(process.max(initial=0)) + 1) * width
    number: npt.NDArray[Any] = transaction.astype(
        np.int32 if most <= np.iinfo(np.int32).max else np.int64
    )
    number += process.astype(number.dtype) * number.dtype.type(width)
    if most > _SPARSE * len(number):
        number = np.unique(number, return_inverse=True)[1]
    return number


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
