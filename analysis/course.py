"""The course of a disturbance: which window saw it first, and from which on it was past.

::

    window   0 1 2 3 4 5 6 7 8 9 ...
             x x b ? o o o o o o o o o o o        x out of the band, o within it, ? unknown
                 ^   ^<------ HOLD ----->         b within it, but behind a backlog
              last   recovered: between the beginnings of these two
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.estimate import Estimate, not_estimable

HOLD = 10
"""Windows that must keep the band, one after the other, before it is called recovered."""

BY_WINDOWS = "windows held against the band of the same load before"

NO_EFFECT = "no window left the band: it had no effect that could be seen"

_SLIVER_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Windows from the beginning of a disturbance on.

    Attributes
    ----------
    starts_s : ndarray, shape (k,)
        Where each window begins, in seconds of run time; rising.
    width_s : float
        Their length.
    known : ndarray of bool, shape (k,)
        Whether something is known of it.
    out : ndarray of bool, shape (k,)
        Whether it has left the band.
    behind : ndarray of bool, shape (k,)
        Whether everybody in it waited behind a backlog, should there be one.
    start_s, since_s : float
        When the disturbance began, and from when its recovery counts.
    over_s : float or None
        When it was over; None when it was not while it was looked at.
    until_s : float
        Until when it was looked at.
    """

    starts_s: npt.NDArray[np.float64]
    width_s: float
    known: npt.NDArray[np.bool_]
    out: npt.NDArray[np.bool_]
    behind: npt.NDArray[np.bool_]
    start_s: float
    since_s: float
    over_s: float | None
    until_s: float

    @property
    def hold_s(self) -> float:
        """How long the band must be kept."""
        return HOLD * self.width_s

    @property
    def answers_for_s(self) -> float:
        """Until when a window out of the band is its doing."""
        over_s = self.until_s if self.over_s is None else self.over_s
        return min(self.until_s, over_s + self.hold_s)

    @property
    def first_out(self) -> int | None:
        """Number of the first window out of the band that is its doing; None without one."""
        seen = np.flatnonzero(self.out & (self.starts_s < self.answers_for_s - _SLIVER_S))
        return int(seen[0]) if len(seen) else None

    def detected(self) -> Estimate:
        """Tell how soon it could be seen.

        Returns
        -------
        Estimate
            Seconds from its beginning to the end of the first window out of the band;
            not estimable where none is.
        """
        first = self.first_out
        if first is None:
            why = NO_EFFECT if self._was_seen_through() else self._too_short(self._seen())
            return not_estimable(why, unit="s", method=BY_WINDOWS)
        start_s = float(self.starts_s[first]) - self.start_s
        return Estimate(
            value=start_s + self.width_s,
            low=max(0.0, start_s),
            high=start_s + self.width_s,
            n=first + 1,
            unit="s",
            method=BY_WINDOWS,
        )

    def recovery(self) -> tuple[Estimate, float | None]:
        """Tell from when on it was past.

        Returns
        -------
        tuple of (Estimate, float or None)
            Seconds from `since_s`, with the beginnings of the last window out of the
            band, or behind what left it, and of the first that is neither, as ends; a
            lower bound where it was not seen to be past. And the same in run time, None
            where it was not.
        """
        index = np.flatnonzero(self.known & (self.starts_s >= self.since_s - _SLIVER_S))
        out = self._away()[index]
        if self.first_out is None or not out[: self._looked_at(index)].any():
            return self._at_once(index, out)
        last, n = -1, len(index)
        for last in np.flatnonzero(out).tolist():
            after = out[last + 1 :]
            run = int(np.argmax(after)) if after.any() else len(after)
            ends_s = float(self.starts_s[index[last + 1 + run]]) if after.any() else self.until_s
            if run >= HOLD and ends_s >= self.answers_for_s - _SLIVER_S and self._is_over():
                return self._recovered(index, last)
        return self._censored(index, last, n - last - 1), None

    def _away(self) -> npt.NDArray[np.bool_]:
        """Find the windows out of the band, and those behind that follow one without a gap."""
        place = np.arange(len(self.out))
        left = np.where(self.out, place, -1)
        back = np.where(self.known & ~self.out & ~self.behind, place, -1)
        away: npt.NDArray[np.bool_] = np.maximum.accumulate(left) > np.maximum.accumulate(back)
        return away & self.known

    def _looked_at(self, index: npt.NDArray[np.intp]) -> int:
        return int(np.searchsorted(self.starts_s[index], self.answers_for_s - _SLIVER_S))

    def _is_over(self) -> bool:
        return self.over_s is not None and self.until_s >= self.over_s + self.hold_s - _SLIVER_S

    def _at_once(
        self, index: npt.NDArray[np.intp], out: npt.NDArray[np.bool_]
    ) -> tuple[Estimate, float | None]:
        """Nothing was out of the band from when recovery counts."""
        if not self._was_seen_through():
            return not_estimable(self._too_short(len(index)), unit="s", method=BY_WINDOWS), None
        why = NO_EFFECT if not self.out.any() else "the band was kept from when the load was back"
        found = Estimate(
            value=0.0, low=0.0, high=0.0, n=len(out), unit="s", method=BY_WINDOWS, why=why
        )
        return found, self.since_s

    def _was_seen_through(self) -> bool:
        return self._is_over() and self._seen() >= HOLD

    def _seen(self) -> int:
        counts = self.known & (self.starts_s >= self.since_s - _SLIVER_S)
        return int((counts & (self.starts_s < self.answers_for_s)).sum())

    def _recovered(self, index: npt.NDArray[np.intp], last: int) -> tuple[Estimate, float]:
        at_s = float(self.starts_s[index[last + 1]])
        found = Estimate(
            value=at_s - self.since_s,
            low=float(self.starts_s[index[last]]) - self.since_s,
            high=at_s - self.since_s,
            n=len(index),
            unit="s",
            method=f"{BY_WINDOWS}; kept for {HOLD}, its backlog drained",
        )
        return found, at_s

    def _censored(self, index: npt.NDArray[np.intp], last: int, kept: int) -> Estimate:
        at_least_s = float(self.starts_s[index[last]]) + self.width_s - self.since_s
        end = f"was looked at for {self.until_s - self.since_s:.4g} s"
        if kept == 0:
            why = f"not recovered while it {end}"
        elif self.over_s is None:
            why = f"it was not over while it {end}"
        else:
            last_windows = "window" if kept == 1 else f"{kept} windows"
            why = (
                f"the band was kept for the last {last_windows}; {HOLD} are needed, "
                "and as many after its end"
            )
        return Estimate(
            value=at_least_s,
            low=at_least_s,
            n=len(index),
            unit="s",
            method=BY_WINDOWS,
            why=why,
        )

    def _too_short(self, seen: int) -> str:
        if self.over_s is None:
            return "it was not over while it was looked at"
        return f"too few windows were seen after it ({seen}; {HOLD} are needed)"
