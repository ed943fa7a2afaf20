"""The windows of a run in which something is judged, and the requests that belong to them.

Only holds are judged. A request belongs to the window of its intended start and
is followed to its end. One exception: a request that was intended before a hold
and was open through all of it occupied its user for the whole window, and is
often the only witness of a hang. It is *carried* into the window; it can lie in
several windows, but never lies in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.recording.format import Outcome
from scenarios.model import named
from scenarios.schedule import Schedule

END_TOLERANCE_S = 0.1
"""A load that ended this close to the end of a hold held it: clocks and stops are not exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The hold of one stage, as far as it was run.

    Attributes
    ----------
    stage : int
        Index of the stage in the scenario.
    level : float
        Virtual users, or arrivals per second, asked for.
    unit : str
        What the level counts: ``"users"`` or ``"arrivals/s"``.
    start_s, end_s : float
        Seconds of run time; `end_s` is cut at the end of the load.
    planned_end_s : float
        Where the hold should have ended.
    """

    stage: int
    level: float
    start_s: float
    end_s: float
    planned_end_s: float
    unit: str = "users"

    @property
    def named(self) -> str:
        """The level with its unit."""
        return named(self.level, self.unit)

    @property
    def length_s(self) -> float:
        """Seconds of the hold that were run; 0 when it was never reached."""
        return self.end_s - self.start_s

    @property
    def was_run(self) -> bool:
        """Whether the run reached this hold."""
        return self.end_s > self.start_s

    @property
    def complete(self) -> bool:
        """Whether the hold was run to its end."""
        return self.was_run and self.end_s >= self.planned_end_s - END_TOLERANCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A window and its requests.

    Attributes
    ----------
    window : Window
        When.
    samples : DataFrame
        The judged requests, in intended order: those carried into the window, then those
        intended in it.
    earlier : DataFrame
        Requests that were intended before the window and open at some moment of it: the
        carried ones, and those that ended in it.
    carried : int
        How many of `samples` are carried.
    """

    window: Window
    samples: pd.DataFrame
    earlier: pd.DataFrame
    carried: int

    @property
    def open(self) -> pd.DataFrame:
        """Every request that was open at some moment of the window, in intended order.

        With all columns it is a copy of most of the hold: see :meth:`opened`.
        """
        return self.opened(*self.samples.columns)

    def opened(self, *names: str) -> pd.DataFrame:
        """Take some columns of every request that was open at some moment of the window.

        Parameters
        ----------
        *names : str
            Columns of the samples.

        Returns
        -------
        DataFrame
            In intended order.
        """
        within = self.samples.iloc[self.carried :]
        lasted = open_until_s(within) > self.window.start_s
        chosen = columns_of(within, *names)
        chosen = chosen if lasted.all() else chosen[lasted]
        if not len(self.earlier):
            return chosen
        return pd.concat([columns_of(self.earlier, *names), chosen])

    def about(self, subject: str) -> Hold:
        """Narrow the hold to a subject.

        Parameters
        ----------
        subject : str
            ``"all"``, ``"METHOD endpoint"``, or an endpoint with any method.

        Returns
        -------
        Hold
            The same window with the subject's requests only.
        """
        if subject == "all":
            return self
        return self._of(of_subject(self.samples, subject), of_subject(self.earlier, subject))

    def by_name(self) -> Iterator[tuple[str, Hold]]:
        """Split the hold by endpoint, in one pass however many there are.

        Yields
        ------
        tuple of (str, Hold)
            ``"METHOD endpoint"`` and the requests of that name, by name.
        """
        judged, opened = rows_by_name(self.samples), rows_by_name(self.earlier)
        nobody = np.empty(0, dtype=np.intp)
        for name in sorted({*judged, *opened}):
            samples = self.samples.iloc[judged.get(name, nobody)]
            yield name, self._of(samples, self.earlier.iloc[opened.get(name, nobody)])

    def _of(self, samples: pd.DataFrame, earlier: pd.DataFrame) -> Hold:
        carried = int(np.count_nonzero(samples["intended_s"].to_numpy() < self.window.start_s))
        return Hold(window=self.window, samples=samples, earlier=earlier, carried=carried)


def columns_of(samples: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Take some columns without copying them.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.
    *names : str
        Some of its columns.

    Returns
    -------
    DataFrame
        All rows, those columns: choose columns before rows, for a choice of rows copies.
    """
    return pd.DataFrame({name: samples[name] for name in names}, index=samples.index, copy=False)


def rows_by_name(samples: pd.DataFrame) -> dict[str, npt.NDArray[np.intp]]:
    """Find the rows of each endpoint.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    dict of str to ndarray
        Positions of the rows of each name that there is, rising.
    """
    names = samples["name"].cat
    codes = names.codes.to_numpy()
    count = np.bincount(codes, minlength=len(names.categories))
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(count)[:-1])
    each = zip(names.categories, rows, strict=False)
    return {str(name): where for name, where in each if len(where)}


def of_subject(samples: pd.DataFrame, subject: str) -> pd.DataFrame:
    """Take the requests that a budget's subject speaks of.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.
    subject : str
        ``"all"``, ``"METHOD endpoint"``, or an endpoint with any method.

    Returns
    -------
    DataFrame
        Those rows, in the same order.
    """
    if subject == "all":
        return samples
    chosen = samples["name"] == subject
    if "endpoint" in samples:
        chosen |= samples["endpoint"] == subject
    return samples[chosen.to_numpy()]


def open_until_s(samples: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Tell until when each request was open.

    A request whose last word is ``open`` is one of a run that was cut off: it was
    open to the end of all records, also where its own last row is a flush older.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    ndarray, shape (n,)
        Seconds of run time; infinite for a request that is still open.
    """
    end_s = samples["end_s"].to_numpy(dtype=float)
    is_open = (samples["outcome"] == Outcome.OPEN.label).to_numpy()
    return np.where(is_open, np.inf, end_s) if is_open.any() else end_s


def hold_windows(schedule: Schedule, ended_s: float) -> tuple[Window, ...]:
    """Find the hold of each stage.

    Parameters
    ----------
    schedule : Schedule
        What was planned.
    ended_s : float
        When the load ended, in seconds of run time.

    Returns
    -------
    tuple of Window
        One a stage, in order; those never reached are empty.
    """
    return tuple(
        Window(
            stage=span.stage,
            level=span.level,
            start_s=span.hold_s,
            end_s=max(span.hold_s, min(span.end_s, ended_s)),
            planned_end_s=span.end_s,
            unit=schedule.unit,
        )
        for span in schedule.spans
    )


def hold_of(samples: pd.DataFrame, window: Window) -> Hold:
    """Collect the requests of a window.

    Parameters
    ----------
    samples : DataFrame
        All samples of a recording.
    window : Window
        When.

    Returns
    -------
    Hold
        The window with its requests in intended order.
    """
    samples = in_intended_order(samples)
    intended = samples["intended_s"].to_numpy(dtype=float)
    first, stop = np.searchsorted(intended, (window.start_s, window.end_s)).tolist()
    until = open_until_s(samples)[:first]
    earlier = np.flatnonzero(until > window.start_s)
    carried = np.flatnonzero(until >= window.end_s) if window.was_run else earlier[:0]
    inside = samples.iloc[first:stop]  # no copy: a hold is most of a run
    return Hold(
        window=window,
        samples=pd.concat([samples.iloc[carried], inside]) if len(carried) else inside,
        earlier=samples.iloc[earlier],
        carried=len(carried),
    )


def in_intended_order(samples: pd.DataFrame) -> pd.DataFrame:
    """Put samples into the order of their intended starts, as those of a recording are.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    DataFrame
        The same where they are in order already; equal times keep the order they have.
    """
    intended = samples["intended_s"].to_numpy(dtype=float)
    if (intended[1:] >= intended[:-1]).all():
        return samples
    return samples.iloc[np.argsort(intended, kind="stable")]


def availability_window(schedule: Schedule, required: float, ended_s: float) -> tuple[float, float]:
    """Find the time over which availability is stated.

    Parameters
    ----------
    schedule : Schedule
        What was planned.
    required : float
        The load that must be carried.
    ended_s : float
        When the load ended, in seconds of run time.

    Returns
    -------
    tuple of (float, float)
        From the end of the warm-up to the end of the last stage up to the required
        load, or of the load if that came first: seconds of run time.
    """
    start_s = schedule.warmup_s
    return start_s, max(start_s, min(schedule.required_end_s(required), ended_s))
