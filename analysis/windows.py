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
        The judged requests, in intended order: intended in the window, or carried
        into it.
    open : DataFrame
        Every request that was open at some moment of the window.
    carried : int
        How many of `samples` are carried.
    """

    window: Window
    samples: pd.DataFrame
    open: pd.DataFrame
    carried: int

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
        samples = of_subject(self.samples, subject)
        carried = int((samples["intended_s"] < self.window.start_s).sum())
        return Hold(
            window=self.window,
            samples=samples,
            open=of_subject(self.open, subject),
            carried=carried,
        )

    def by_name(self) -> Iterator[tuple[str, Hold]]:
        """Split the hold by endpoint, in one pass however many there are.

        Yields
        ------
        tuple of (str, Hold)
            ``"METHOD endpoint"`` and the requests of that name, by name.
        """
        judged = self.samples.groupby("name", observed=True).indices
        opened = self.open.groupby("name", observed=True).indices
        nobody = np.empty(0, dtype=np.intp)
        for name in sorted({*judged, *opened}, key=str):
            samples = self.samples.iloc[judged.get(name, nobody)]
            yield (
                str(name),
                Hold(
                    window=self.window,
                    samples=samples,
                    open=self.open.iloc[opened.get(name, nobody)],
                    carried=int((samples["intended_s"] < self.window.start_s).sum()),
                ),
            )


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
    chosen = (samples["name"] == subject).to_numpy() | (samples["endpoint"] == subject).to_numpy()
    return samples[chosen]


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
    is_open = (samples["outcome"] == Outcome.OPEN.label).to_numpy()
    return np.where(is_open, np.inf, samples["end_s"].to_numpy(dtype=float))


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
    intended = samples["intended_s"].to_numpy(dtype=float)
    end = open_until_s(samples)
    inside = (intended >= window.start_s) & (intended < window.end_s)
    carried = (intended < window.start_s) & (end >= window.end_s) & window.was_run
    chosen = np.flatnonzero(inside | carried)
    order = np.argsort(intended[chosen], kind="stable")
    overlapping = (intended < window.end_s) & (end > window.start_s)
    return Hold(
        window=window,
        samples=samples.iloc[chosen[order]],
        open=samples[overlapping],
        carried=int(carried.sum()),
    )


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
