"""Who did something when: the common part of orders, activities and feedback."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from target_app.seeding import calendar
from target_app.seeding.columns import Ints

_AT_ONCE = 500_000  # of them: what is drawn on the way takes 40 bytes each


@dataclass(frozen=True, slots=True)
class Happenings:
    """Somebody's doings, the oldest first."""

    customer: npt.NDArray[np.int32]
    """Ids."""
    at: Ints
    """Microseconds since 1970."""

    @classmethod
    def draw(
        cls,
        random: np.random.Generator,
        customer: npt.NDArray[np.int32],
        created: Ints,
        *,
        season: bool,
    ) -> Happenings:
        """
        Draw when each happened: never on the day of the customer's creation, or before.

        Parameters
        ----------
        random : Generator
            The table's stream.
        customer : ndarray of int32
            Ids, one for each.
        created : ndarray of int64
            When each customer was created, by id - 1.
        season : bool
            Whether the month matters.

        Returns
        -------
        Happenings
        """
        weights = calendar.day_weights(season=season)
        since = calendar.next_day(created)
        at = np.empty(customer.size, np.int64)
        for start in range(0, customer.size, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            at[part] = calendar.moments(random, weights, since[customer[part] - 1])
        order = np.argsort(at, kind="stable")
        return cls(customer[order], at[order])

    def __len__(self) -> int:
        return self.at.size


def repeated(counts: Ints) -> npt.NDArray[np.int32]:
    """
    List customers as often as each did something.

    Parameters
    ----------
    counts : ndarray of int64
        By id - 1.

    Returns
    -------
    ndarray of int32
        Ids.
    """
    return np.repeat(np.arange(1, counts.size + 1, dtype=np.int32), counts)
