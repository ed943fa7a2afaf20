"""Customers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from target_app.folding import fold
from target_app.models import CUSTOMER_STATUSES, SEGMENTS
from target_app.seeding import calendar, shapes
from target_app.seeding.columns import NULL, Choices, Columns, Ints, Moments, Numbers, Texts, Words
from target_app.seeding.pools import Pools

DEFECTS = {"missing_phone": 0.03, "duplicate_person": 0.01, "bad_email": 0.005}
"""Shares of customers without a phone number; with the name, phone and company of an earlier one
(and another address); with an address that is none."""

_WITH_COMPANY = 0.6
_UNOWNED = 0.01
_STATUS_SHARES = (0.2, 0.55, 0.15, 0.1)
_SEGMENT_SHARES = (0.6, 0.3, 0.1)


@dataclass(frozen=True, kw_only=True)
class Customers:
    """All customers, the oldest first, as numbers: places in the pools."""

    pools: Pools
    created: Ints
    updated: Ints
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]
    domain: npt.NDArray[np.int16]
    phone: Ints
    """The digits after the country's; `NULL` for none."""
    company: npt.NDArray[np.int32]
    """-1 for none."""
    city: npt.NDArray[np.int32]
    country: npt.NDArray[np.int16]
    status: npt.NDArray[np.int16]
    segment: npt.NDArray[np.int16]
    owner: Ints
    bad_email: npt.NDArray[np.bool]
    duplicates: int
    """How many are the same person as an earlier one."""

    @classmethod
    def draw(cls, random: np.random.Generator, pools: Pools, size: int, owners: int) -> Customers:
        """
        Draw them.

        Parameters
        ----------
        random : Generator
            The table's stream.
        pools : Pools
            Words.
        size : int
            How many.
        owners : int
            How many users own customers; their ids count from 1.

        Returns
        -------
        Customers
        """
        weights = calendar.day_weights(season=False)
        weights[-1] = 0  # so that each has a day left to do something
        created = np.sort(calendar.moments(random, weights, np.zeros(size, np.int32)))
        updated = created + (random.random(size) * (calendar.END - created)).astype(np.int64)
        company = _places(random, pools.companies, size)
        company[random.random(size) >= _WITH_COMPANY] = -1
        missing = DEFECTS["missing_phone"] / (1 - DEFECTS["duplicate_person"])
        least, most = pools.places.digits
        original: dict[str, npt.NDArray[Any]] = {
            "first": _places(random, pools.first_names, size),
            "last": _places(random, pools.last_names, size),
            # A duplicate always has one, by which it is known; the others make up for that.
            "phone": shapes.some(random, random.integers(least, most + 1, size), 1 - missing),
            "company": company,
            "city": _places(random, pools.cities, size),
            "country": shapes.choose(random, size, pools.places.country_shares),
        }
        again, of = _duplicates(random, original["phone"] != NULL)
        for values in original.values():
            values[again] = values[of]
        return cls(
            pools=pools,
            created=created,
            updated=updated,
            **original,
            domain=_places(random, pools.domains, size).astype(np.int16),
            status=shapes.choose(random, size, _STATUS_SHARES),
            segment=shapes.choose(random, size, _SEGMENT_SHARES),
            owner=shapes.some(random, random.integers(1, owners + 1, size), 1 - _UNOWNED),
            bad_email=random.random(size) < DEFECTS["bad_email"],
            duplicates=again.size,
        )

    def __len__(self) -> int:
        return self.created.size

    def columns(self, part: slice) -> Columns:
        """
        Give the rows of some of them.

        Parameters
        ----------
        part : slice
            Which: the one of id 1 is at 0.

        Returns
        -------
        Columns
        """
        keys = np.arange(part.start, part.stop) + 1
        return {
            "id": Numbers(keys),
            "name": Texts(self.names(keys)),
            "name_key": Texts(self._name_keys(keys)),
            "email": Texts(self._kept_emails(keys)),
            "phone": Texts(self._phones(part)),
            "company": Choices(self.company[part], self.pools.companies),
            "company_key": Choices(self.company[part], self._company_keys),
            "city": Choices(self.city[part], self.pools.cities),
            "country": Choices(self.country[part], np.array(self.pools.places.countries, object)),
            "status": Choices(self.status[part], np.array(CUSTOMER_STATUSES, object)),
            "segment": Choices(self.segment[part], np.array(SEGMENTS, object)),
            "owner_id": Numbers(self.owner[part]),
            "version": Numbers(np.ones(keys.size, np.int64)),
            "created_at": Moments(self.created[part]),
            "updated_at": Moments(self.updated[part]),
        }

    def names(self, keys: Ints) -> list[str]:
        """
        Name customers.

        Parameters
        ----------
        keys : ndarray of int64
            Their ids.

        Returns
        -------
        list of str
        """
        return self._whole(keys, self.pools.first_names, self.pools.last_names)

    def emails(self, keys: Ints) -> list[str]:
        """
        Give their addresses, as they would write them.

        Parameters
        ----------
        keys : ndarray of int64
            Their ids.

        Returns
        -------
        list of str
            All different, because the id is in them; real lists look like that, too.
        """
        at = keys - 1
        first = self.pools.first_addresses[self.first[at]]
        last = self.pools.last_addresses[self.last[at]]
        domains = self.pools.domains[self.domain[at]]
        parts = zip(first, last, keys.tolist(), domains, strict=True)
        return [f"{f}.{n}{key}@{domain}" for f, n, key, domain in parts]

    def defects(self) -> dict[str, dict[str, float]]:
        """
        Count what is wrong on purpose.

        Returns
        -------
        dict of str to dict of str to float
            By kind, the rate that was asked for and the count that came out.
        """
        counts = {
            "missing_phone": int(np.count_nonzero(self.phone == NULL)),
            "duplicate_person": self.duplicates,
            "bad_email": int(np.count_nonzero(self.bad_email)),
        }
        return {kind: {"rate": rate, "count": counts[kind]} for kind, rate in DEFECTS.items()}

    def _kept_emails(self, keys: Ints) -> list[str]:
        """Give their addresses as we have them: some with no @, or two."""
        emails = self.emails(keys)
        for place in np.flatnonzero(self.bad_email[keys - 1]).tolist():
            emails[place] = emails[place].replace("@", "@@" if place % 2 else "")
        return emails

    def _phones(self, part: slice) -> list[str | None]:
        """Write telephone numbers."""
        prefixes = np.array(self.pools.places.prefixes, object)[self.country[part]]
        third, fourth = self.pools.places.groups
        one, other = 10**fourth, 10**third
        pairs = zip(prefixes.tolist(), self.phone[part].tolist(), strict=True)
        return [
            None
            if n == NULL
            else f"{prefix} {n // one // other}-{n // one % other:0{third}}-{n % one:0{fourth}}"
            for prefix, n in pairs
        ]

    def _whole(self, keys: Ints, firsts: Words, lasts: Words) -> list[str]:
        """Put names together."""
        first, last = firsts[self.first[keys - 1]], lasts[self.last[keys - 1]]
        if self.pools.places.family_first:
            return [n + f for f, n in zip(first, last, strict=True)]
        return [f"{f} {n}" for f, n in zip(first, last, strict=True)]

    def _name_keys(self, keys: Ints) -> list[str]:
        """Fold names: a name's key is its parts' keys put together, and there are few parts."""
        return self._whole(keys, *self._folded)

    @cached_property
    def _folded(self) -> tuple[Words, Words]:
        """First and last names as they are searched for."""
        return _folded(self.pools.first_names), _folded(self.pools.last_names)

    @cached_property
    def _company_keys(self) -> Words:
        """Companies as they are searched for."""
        return _folded(self.pools.companies)


def _folded(words: Words) -> Words:
    """Fold words."""
    return np.array([fold(word) for word in words], object)


def _places(random: np.random.Generator, words: Words, size: int) -> npt.NDArray[np.int32]:
    """Draw places in a pool."""
    return random.integers(0, words.size, size, dtype=np.int32)


def _duplicates(random: np.random.Generator, usable: npt.NDArray[np.bool]) -> tuple[Ints, Ints]:
    """Draw who is the same person as whom before: never the same as another duplicate."""
    again = random.random(usable.size) < DEFECTS["duplicate_person"]
    again[np.cumsum(usable & ~again) == 0] = False  # nobody is before them
    originals, places = np.flatnonzero(usable & ~again), np.flatnonzero(again)
    before = np.searchsorted(originals, places)
    return places, originals[(random.random(places.size) * before).astype(np.int64)]
