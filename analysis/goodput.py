"""Goodput: the writes that were acknowledged and are stored, once.

Each write that was sent is in exactly one class; the first that fits::

    not_asked      there was no time left to ask for it
    doubled        stored more than once, whatever its client saw        fails the run
    without_row    stores nothing by design
    stored         acknowledged, and there
    replayed       acknowledged again: an earlier request with its key is what was stored
    absent         acknowledged, and not there                           fails the run
    unclear        acknowledged, not there, and nobody knows whether it should be
    refused        answered 4xx, and not there
    contradicted   an operation of the API answered 4xx, and there       fails the run
    indeterminate  no answer, or a broken one: there or not, both are right

*Acknowledged* is a right answer (outcome ok) with a status below 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.availability import SEEN
from analysis.estimate import Estimate, not_estimable
from analysis.promises import API, Promise, promise
from analysis.recording.audit import WRITES, Audit
from analysis.recording.format import REPLAYED, Outcome
from analysis.throughput import throughput
from analysis.windows import Window, columns_of
from scenarios.counting import agreeing, count_of

NAMED_MOST = 100
"""Single writes that a verdict names of each class; the counts are of all."""

_NOT_ASKED = -1
_OF_A_WRITE = (
    "process", "request", "name", "outcome", "status", "tags", "sent_us", "end_s",
)  # fmt: skip
_REQUEST_BITS = 48
_FIRST_REFUSAL, _FIRST_FAULT = 400, 500
_REQUEST_TIMEOUT = 408  # a proxy's: what became of the request behind it nobody knows
_ANSWERED = [outcome.label for outcome in (Outcome.OK, Outcome.HTTP_ERROR, Outcome.RATE_LIMITED)]


class Fate(IntEnum):
    """What became of a write: the classes at the top of this module."""

    NOT_ASKED = 0
    DOUBLED = 1
    WITHOUT_ROW = 2
    STORED = 3
    REPLAYED = 4
    ABSENT = 5
    UNCLEAR = 6
    REFUSED = 7
    CONTRADICTED = 8
    INDETERMINATE = 9

    @property
    def label(self) -> str:
        """The word that files use."""
        return self.name.lower()


NAMED = (Fate.ABSENT, Fate.DOUBLED, Fate.CONTRADICTED)
"""Classes that fail a run; their writes are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """What is known of the writes of a run.

    Attributes
    ----------
    document : dict
        The section of verdict.json.
    broken : tuple of str
        What fails the run, a clause each; empty when nothing does.
    warnings : tuple of str
        What is wrong and may not be this run's doing.
    """

    document: dict[str, Any]
    broken: tuple[str, ...]
    warnings: tuple[str, ...]


def writes_of(samples: pd.DataFrame) -> pd.DataFrame:
    """Take the requests that were sent to change something.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    DataFrame
        Some of its rows, with the columns that tell what became of a write.
    """
    chosen = samples["method"].isin(WRITES).to_numpy() & samples["sent_us"].notna().to_numpy()
    return columns_of(samples, *_OF_A_WRITE)[chosen]


def fates(
    writes: pd.DataFrame, found: npt.NDArray[np.int64], *, checked: bool
) -> npt.NDArray[np.int8]:
    """Tell what became of each write.

    Parameters
    ----------
    writes : DataFrame, shape (n, columns)
        As :func:`writes_of` gives them.
    found : ndarray, shape (n,)
        As :func:`found_of` gives it.
    checked : bool
        Whether the clients looked at what came back, as the personas do.

    Returns
    -------
    ndarray, shape (n,)
        A :class:`Fate` each.
    """
    status = writes["status"].to_numpy(dtype=float, na_value=np.nan)
    ok = (writes["outcome"] == Outcome.OK.label).to_numpy()
    answered = writes["outcome"].isin(_ANSWERED).to_numpy()
    acknowledged = ok & (status < _FIRST_REFUSAL)
    refused = answered & (status >= _FIRST_REFUSAL) & (status < _FIRST_FAULT)
    refused &= status != _REQUEST_TIMEOUT
    promised = _by_name(writes, lambda name: promise(name, checked=checked))
    of_api = _by_name(writes, lambda name: name.partition(" ")[2].startswith(API))
    absent = found == 0
    rules: list[tuple[Any, Fate]] = [
        (found == _NOT_ASKED, Fate.NOT_ASKED),
        (found > 1, Fate.DOUBLED),
        (absent & (promised == Promise.NOTHING), Fate.WITHOUT_ROW),
        (acknowledged & ~absent, Fate.STORED),
        (acknowledged & writes["tags"].isin([REPLAYED]).to_numpy(), Fate.REPLAYED),
        (acknowledged & (promised == Promise.ROW), Fate.ABSENT),
        (acknowledged, Fate.UNCLEAR),
        (refused & absent, Fate.REFUSED),
        (refused & np.asarray(of_api, dtype=bool), Fate.CONTRADICTED),
    ]
    conditions, values = zip(*rules, strict=True)
    chosen = np.select(conditions, [int(value) for value in values], int(Fate.INDETERMINATE))
    return chosen.astype(np.int8)


def _by_name(writes: pd.DataFrame, of: Any) -> npt.NDArray[Any]:
    """Look something up for each of the few names there are."""
    names = writes["name"].astype("category").cat
    return np.array([of(str(name)) for name in names.categories], dtype=object)[names.codes]


def found_of(writes: pd.DataFrame, audit: Audit) -> npt.NDArray[np.int64]:
    """Look up how often each write is stored.

    Parameters
    ----------
    writes : DataFrame, shape (n, columns)
        With ``process`` and ``request``.
    audit : Audit
        What the target said.

    Returns
    -------
    ndarray, shape (n,)
        Rows of the target's tables that tell of it; -1 where nobody asked.
    """
    process, request, found = (
        column.to_numpy().astype(np.int64)
        for column in audit.found.set_column(
            2, "found", audit.found.column("found").fill_null(_NOT_ASKED)
        ).columns
    )
    told, asked = _keys(process, request), _keys(writes["process"], writes["request"])
    if not len(told):
        return np.full(len(asked), _NOT_ASKED, dtype=np.int64)
    order = np.argsort(told)
    at = np.minimum(np.searchsorted(told, asked, sorter=order), len(told) - 1)
    row = order[at]
    return np.where(told[row] == asked, found[row], _NOT_ASKED)


def _keys(process: npt.ArrayLike, request: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Make one number of the two that name a request."""
    return (np.asarray(process, dtype=np.int64) << _REQUEST_BITS) | np.asarray(request, np.int64)


def assess(
    samples: pd.DataFrame, audit: Audit, window: Window, *, prefix: str, checked: bool
) -> Goodput:
    """Judge the writes of a run.

    Parameters
    ----------
    samples : DataFrame
        Samples of the recording.
    audit : Audit
        What the target said.
    window : Window
        The hold whose rate is told.
    prefix : str
        What request ids begin with, before process and number.
    checked : bool
        Whether the clients looked at what came back, as the personas do.

    Returns
    -------
    Goodput
        Section, what is broken, warnings.
    """
    writes = writes_of(samples)
    found = found_of(writes, audit)
    fate = fates(writes, found, checked=checked)
    named = {each.label: _named(writes, found, fate == each, prefix) for each in NAMED}
    counted = {each.label: int((fate == each).sum()) for each in Fate if each not in NAMED}
    acknowledged = int(np.isin(fate, (Fate.STORED, Fate.ABSENT)).sum())
    rate, share = _of_hold(writes, fate, audit, window)
    wrong = _invariants(audit)
    document = {
        "assessed": audit.why is None,
        "why": audit.why,
        "asked_at": audit.asked_at,
        "duration_s": audit.duration_s,
        "writes": len(writes),
        "acknowledged": acknowledged,
        **named,
        **counted,
        "indeterminate": _indeterminate(writes, fate, found),
        "invariants": {**audit.invariants.as_dict(), "fresh": audit.fresh},
        "stage": window.stage,
        "throughput": rate.as_dict(),
        "share": share.as_dict(),
    }
    broken = [*_lost(document, acknowledged), *(wrong if audit.fresh else ())]
    document["broken"] = broken
    old = "" if audit.fresh else "; nobody looked before the run, so it is not held against it"
    return Goodput(
        document=document,
        broken=tuple(broken),
        warnings=() if audit.fresh else tuple(f"{text}{old}" for text in wrong),
    )


def _named(
    writes: pd.DataFrame,
    found: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.bool_],
    prefix: str,
) -> dict[str, Any]:
    """Count some writes, and name the first of them."""
    where = np.flatnonzero(chosen)
    where = where[np.argsort(writes["sent_us"].to_numpy()[where], kind="stable")][:NAMED_MOST]
    first = writes.iloc[where]
    rows = zip(
        first["process"], first["request"], first["name"], first["sent_us"], found[where],
        strict=True,
    )  # fmt: skip
    return {
        "count": int(chosen.sum()),
        "first": [
            {
                "id": f"{prefix}-{process}-{request}",
                "name": str(name),
                "sent_s": float(sent_us) / 1e6,
                "found": int(times),
            }
            for process, request, name, sent_us, times in rows
        ],
    }


def _indeterminate(
    writes: pd.DataFrame, fate: npt.NDArray[np.int8], found: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Say, by outcome, which of the writes that nobody knows the end of are there."""
    chosen = fate == Fate.INDETERMINATE
    outcome = writes["outcome"][chosen].astype(str).to_numpy()
    there = found[chosen] == 1
    return [
        {
            "outcome": each.label,
            "stored": int(there[outcome == each.label].sum()),
            "not_stored": int((~there)[outcome == each.label].sum()),
        }
        for each in Outcome
        if (outcome == each.label).any()
    ]


def _of_hold(
    writes: pd.DataFrame, fate: npt.NDArray[np.int8], audit: Audit, window: Window
) -> tuple[Estimate, Estimate]:
    """Measure stored acknowledged writes in a hold: per second, and of those acknowledged."""
    why = audit.why if audit.why is not None or window.was_run else "the hold was not run"
    if why is not None:
        return not_estimable(why, unit="1/s"), not_estimable(why, unit="ratio")
    end_s = writes["end_s"].to_numpy()
    inside = (end_s >= window.start_s) & (end_s < window.end_s)
    stored = int((inside & (fate == Fate.STORED)).sum())
    acknowledged = stored + int((inside & (fate == Fate.ABSENT)).sum())
    rate = throughput(end_s[fate == Fate.STORED], window.start_s, window.end_s)
    if not acknowledged:
        return rate, not_estimable("no write was acknowledged in it", unit="ratio")
    share = stored / acknowledged
    return rate, Estimate(value=share, n=acknowledged, unit="ratio", method="counted", why=SEEN)


def _lost(document: Mapping[str, Any], acknowledged: int) -> list[str]:
    """Say what is not as it was answered."""
    absent, doubled, contradicted = (document[each.label] for each in NAMED)
    said = []
    if absent["count"]:
        said.append(
            f"{absent['count']:,} of {count_of(acknowledged, 'acknowledged write')} "
            f"{agreeing(absent['count'], 'are')} not stored{_first(absent)}"
        )
    if doubled["count"]:
        said.append(
            f"{doubled['count']:,} of {count_of(document['writes'], 'write')} "
            f"{agreeing(doubled['count'], 'are')} stored more than once{_first(doubled)}"
        )
    if contradicted["count"]:
        said.append(
            f"{count_of(contradicted['count'], 'refused write', 'are')} "
            f"stored{_first(contradicted)}"
        )
    return said


def _first(named: Mapping[str, Any]) -> str:
    first = named["first"][0]
    return f" (first {first['name']} after {first['sent_s']:.3g} s, request {first['id']})"


def _invariants(audit: Audit) -> list[str]:
    return [
        f"the target's data breaks {each['name']} in {count_of(each['violations'], 'row')}"
        for each in audit.invariants.broken
    ]
