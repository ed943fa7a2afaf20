"""Where the time of a request goes: waiting, in the application, in the database.

From the ``Server-Timing`` header of the target's answers::

    |<------------------ service time, from the send to the last byte ------------------>|
    |<- waiting: network, the server's queue ->|<-------- in the application ---------->|
                                               |<- its own work ->|<- the database ---->|

What the server does not count as its own is waiting; where the header comes before the
work is done (a streamed answer), a part of the work is called waiting too. Where some
answers tell of the database, those that do not have not asked it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import MIN_BATCHES, batch_averages, batch_means
from scenarios.counting import count_of

METHOD = "mean; batch means, Student t"

FEWEST_PER_BATCH = 10
"""Requests that a batch holds at least."""

NO_HEADER = "the target's answers carry no Server-Timing"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Mean time of right answers by where it was spent.

    Attributes
    ----------
    waiting, application, database : Estimate
        Milliseconds a request; the application's without the database's.
    queries : Estimate
        Statements a request.
    """

    waiting: Estimate
    application: Estimate
    database: Estimate
    queries: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Write it as verdict.json does.

        Returns
        -------
        dict
            Estimates by name.
        """
        return {
            "waiting": self.waiting.as_dict(),
            "application": self.application.as_dict(),
            "database": self.database.as_dict(),
            "queries": self.queries.as_dict(),
        }


def spent_in(samples: pd.DataFrame) -> Spent:
    """Measure where the time of a hold's right answers went.

    Parameters
    ----------
    samples : DataFrame
        Samples of a hold in intended order.

    Returns
    -------
    Spent
        Without values where no answer carried the header.
    """
    told = (samples["good"] & samples["server_us"].notna()).to_numpy(dtype=bool)
    chosen = samples.loc[told, ["service_ms", "server_us", "database_us", "queries"]]
    return spent(
        chosen["service_ms"].to_numpy(dtype=float),
        chosen["server_us"].to_numpy(dtype=float) / 1e3,
        chosen["database_us"].to_numpy(dtype=float) / 1e3,
        chosen["queries"].to_numpy(dtype=float),
    )


def spent(
    service_ms: npt.ArrayLike,
    server_ms: npt.ArrayLike,
    database_ms: npt.ArrayLike,
    queries: npt.ArrayLike,
) -> Spent:
    """Take service times apart.

    Parameters
    ----------
    service_ms, server_ms, database_ms : array_like, shape (n,)
        From the send to the last byte, in the application, and of that in the database,
        in the order of intended starts; NaN where the target did not say.
    queries : array_like, shape (n,)
        Statements.

    Returns
    -------
    Spent
        A part that no answer tells of has no value. The times add up to the mean service
        time.
    """
    service, server = np.asarray(service_ms, dtype=float), np.asarray(server_ms, dtype=float)
    database = _told(database_ms)
    # a server's clock may round up what ours rounds down
    waiting = np.maximum(service - server, 0.0)
    own = np.where(np.isnan(database), server, np.maximum(server - database, 0.0))
    return Spent(
        waiting=_mean(waiting, "ms"),
        application=_mean(own, "ms"),
        database=_mean(database, "ms"),
        queries=_mean(_told(queries), ""),
    )


def _told(values: npt.ArrayLike) -> Floats:
    """Take nothing for 0 where others tell something; as it is where nobody does."""
    found = np.asarray(values, dtype=np.float64)
    return found if np.isnan(found).all() else np.nan_to_num(found, nan=0.0)


def _mean(values: Floats, unit: str) -> Estimate:
    known = values[~np.isnan(values)]
    n = len(known)
    if n == 0:
        return not_estimable(NO_HEADER, unit=unit, method=METHOD)
    value = float(known.mean())
    enough = n >= MIN_BATCHES * FEWEST_PER_BATCH
    batches = batch_averages(known, tau=1.0) if enough else None
    if batches is None:
        few = f"{count_of(n, 'answer', 'are')} too few"
        why = f"{few} for {MIN_BATCHES} batches of {FEWEST_PER_BATCH}"
        return Estimate(value=value, n=n, unit=unit, method=METHOD, why=why)
    low, high = batch_means(batches, confidence=0.95)
    return Estimate(
        value=value,
        low=max(0.0, min(low, value)),
        high=max(high, value),
        level=0.95,
        n=n,
        unit=unit,
        method=f"mean; {len(batches)} batch means, Student t",
    )
