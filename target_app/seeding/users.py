"""Users and their tokens."""

from __future__ import annotations

import hashlib

import numpy as np

from target_app.passwords import hash_password
from target_app.seeding import accounts as signing
from target_app.seeding import calendar
from target_app.seeding.accounts import Account
from target_app.seeding.columns import NULL, Columns, Moments, Numbers, Texts
from target_app.seeding.pools import Pools

_TWENTY_YEARS_US = 20 * 365 * calendar.DAY_US


def signers(
    random: np.random.Generator, pools: Pools, customers: int, seed: int, count: int
) -> list[Account]:
    """
    Draw the people who sign in, and whose the portal accounts are.

    Parameters
    ----------
    random : Generator
        The table's stream.
    pools : Pools
        Words.
    customers : int
        How many there are.
    seed : int
        Decides their tokens.
    count : int
        How many accounts each role has.

    Returns
    -------
    list of Account
    """
    size = signing.total(count)
    first = pools.first_names[random.integers(0, pools.first_names.size, size)]
    last = pools.last_names[random.integers(0, pools.last_names.size, size)]
    names = last + first if pools.places.family_first else first + " " + last
    # Customers share no account, and have several where there are fewer customers than accounts.
    patrons = np.resize(random.permutation(customers)[:count] + 1, count)
    return signing.accounts(seed, count, names.tolist(), patrons.tolist())


def password_hash(seed: int) -> str:
    """
    Hash the password of all of them, once: it takes a tenth of a second.

    Parameters
    ----------
    seed : int
        Decides it.

    Returns
    -------
    str
    """
    return hash_password(signing.password_of(seed), signing.salt_of(seed))


def users(people: list[Account], hashed: str) -> Columns:
    """
    Give the rows of those who sign in.

    Parameters
    ----------
    people : list of Account
        All of them.
    hashed : str
        Their password.

    Returns
    -------
    Columns
    """
    patrons = [NULL if one.customer_id is None else one.customer_id for one in people]
    return {
        "id": Numbers(np.array([one.id for one in people])),
        "email": Texts([one.email for one in people]),
        "name": Texts([one.name for one in people]),
        "role": Texts([one.role for one in people]),
        "password_hash": Texts([hashed] * len(people)),
        "is_active": Numbers(np.array([one.note != signing.DEACTIVATED for one in people])),
        "customer_id": Numbers(np.array(patrons, np.int64)),
        "created_at": Moments(np.full(len(people), calendar.START)),
    }


def tokens(people: list[Account]) -> Columns:
    """
    Give the rows of their tokens.

    Parameters
    ----------
    people : list of Account
        All of them.

    Returns
    -------
    Columns
    """
    later, sooner = calendar.END + _TWENTY_YEARS_US, calendar.END - calendar.DAY_US
    ends = [sooner if one.note == signing.EXPIRED else later for one in people]
    return {
        "id": Numbers(np.array([one.id for one in people])),
        "user_id": Numbers(np.array([one.id for one in people])),
        "token_sha256": Texts([hashlib.sha256(one.token.encode()).hexdigest() for one in people]),
        "scopes": Texts([one.scopes for one in people]),
        "expires_at": Moments(np.array(ends)),
    }
