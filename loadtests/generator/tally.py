"""What each second of the timeline counts, from batches of packed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.recording.format import CENSORED, Outcome
from loadtests.generator.rows import Rows, is_bad, latency_ns, send_lag_ns
from scenarios.model import Budget

Latencies = npt.NDArray[np.int64]

_DECIDES = np.array([outcome is Outcome.OK or outcome in CENSORED for outcome in Outcome])
_IS_CENSORED = np.array([outcome in CENSORED for outcome in Outcome])


@dataclass(slots=True, kw_only=True)
class Second:
    """The requests that ended within a second, or what else is between two lines.

    Attributes
    ----------
    latencies_ns, send_lags_ns : list of ndarray
        Of ok requests, and of all that were sent.
    bad, missed, reopened : int
        Requests; missed arrivals are bad too.
    budgets : ndarray, shape (budgets, 2)
        For each budget the latencies that count, and those of them beyond its limit.
    """

    budgets: npt.NDArray[np.int64]
    latencies_ns: list[Latencies] = field(default_factory=list)
    send_lags_ns: list[Latencies] = field(default_factory=list)
    bad: int = 0
    missed: int = 0
    reopened: int = 0

    @property
    def ok(self) -> int:
        """Requests that ended well."""
        return sum(len(some) for some in self.latencies_ns)

    def percentiles_ms(self, *levels: float) -> list[float | None]:
        """Quantiles of the latencies of ok requests in ms; None when there were none."""
        if not self.ok:
            return [None] * len(levels)
        found = np.quantile(np.concatenate(self.latencies_ns), levels)
        return [round(float(value) / 1e6, 3) for value in found]

    def send_lag_us(self, level: float) -> int | None:
        """Quantile of the generator's own lateness in microseconds."""
        if not self.send_lags_ns:
            return None
        return int(np.quantile(np.concatenate(self.send_lags_ns), level)) // 1000


class Tally:
    """Adds batches of rows up to seconds.

    Parameters
    ----------
    budgets : sequence of Budget
        What `Second.budgets` counts.
    """

    def __init__(self, budgets: Sequence[Budget] = ()) -> None:
        self._budgets = tuple(budgets)
        self._subjects = np.empty((len(self._budgets), 0), dtype=np.bool_)
        self._second = self._new()

    def _new(self) -> Second:
        return Second(budgets=np.zeros((len(self._budgets), 2), dtype=np.int64))

    def add(self, rows: Rows, names: Sequence[tuple[str, str]]) -> None:
        """Add rows that have ended.

        Parameters
        ----------
        rows : ndarray, shape (n,)
            Packed rows, none of them open.
        names : sequence of (str, str)
            For each route its method and its endpoint.
        """
        second, latency = self._second, latency_ns(rows)
        ok = latency[rows["outcome"] == Outcome.OK]
        lags = send_lag_ns(rows)
        if len(ok):
            second.latencies_ns.append(ok)
        if len(lags):
            second.send_lags_ns.append(lags)
        second.bad += int(np.count_nonzero(is_bad(rows)))
        second.missed += int(np.count_nonzero(rows["outcome"] == Outcome.MISSED))
        second.reopened += int(np.count_nonzero(rows["attempt"]))
        self._count_budgets(rows, latency, names)

    def _count_budgets(
        self, rows: Rows, latency: Latencies, names: Sequence[tuple[str, str]]
    ) -> None:
        decides = _DECIDES[rows["outcome"]]
        subjects = self._of_subjects(names)
        for number, budget in enumerate(self._budgets):
            assertion = budget.assertion
            about = (
                decides if budget.subject == "all" else decides & subjects[number][rows["route"]]
            )
            limit_ns = assertion.limit * 1e9
            beyond = latency > limit_ns if assertion.operator == "<=" else latency >= limit_ns
            beyond |= _IS_CENSORED[rows["outcome"]] & (latency >= limit_ns)
            counted = (np.count_nonzero(about), np.count_nonzero(about & beyond))
            self._second.budgets[number] += counted

    def _of_subjects(self, names: Sequence[tuple[str, str]]) -> npt.NDArray[np.bool_]:
        """For each budget, which routes are its subject's; the last one is no route."""
        if self._subjects.shape[1] != len(names) + 1:
            named = [{endpoint, f"{method} {endpoint}"} for method, endpoint in names]
            self._subjects = np.array(
                [[*(budget.subject in known for known in named), False] for budget in self._budgets]
            ).reshape(len(self._budgets), len(names) + 1)
        return self._subjects

    def take(self) -> Second:
        """Take what was added since the last call."""
        second, self._second = self._second, self._new()
        return second
