"""Who may sign in: a password for all, a token for each, the same whenever the seed is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROLES = ("sales", "support", "marketing", "manager", "portal")
"""In the order of their ids: the first `accounts` of them are sales, the next support, ..."""

READ, READ_WRITE = "read", "read write"
EXPIRED, READ_ONLY, DEACTIVATED = "expired", "read-only", "deactivated"

FILE = "accounts.jsonl"

FORMAT = 1
"""Of the file of accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in, with the token that was issued to him."""

    id: int
    role: str
    email: str
    name: str
    customer_id: int | None
    """Of a portal account: whose orders it sees."""
    token: str
    scopes: str
    note: str | None = None
    """What is unusual about it; None for an account that a virtual user may have."""


def accounts(seed: int, count: int, names: Iterable[str], patrons: Iterable[int]) -> list[Account]:
    """
    Write down who may sign in.

    Parameters
    ----------
    seed : int
        Decides the tokens.
    count : int
        How many accounts each role has.
    names : iterable of str
        Of these people; as many as `total` says.
    patrons : iterable of int
        The customers of the portal accounts, `count` of them.

    Returns
    -------
    list of Account
        By id, which count from 1 without a gap.
    """
    whose = iter(patrons)
    people = zip(range(1, total(count) + 1), names, strict=True)
    result = []
    for key, name in people:
        place, number = divmod(key - 1, count)
        if place < len(ROLES):
            role, note = ROLES[place], None
            email = f"{role}{number + 1}@crm.example"
        else:
            role, email, note = _EXTRA[key - 1 - len(ROLES) * count]
        result.append(
            Account(
                id=key,
                role=role,
                email=email,
                name=name,
                customer_id=next(whose) if role == "portal" else None,
                token=token_of(seed, key),
                scopes=READ if note == READ_ONLY else READ_WRITE,
                note=note,
            )
        )
    return result


_EXTRA = (
    ("admin", "admin@crm.example", None),
    ("sales", "expired@crm.example", EXPIRED),
    ("sales", "reader@crm.example", READ_ONLY),
    ("sales", "deactivated@crm.example", DEACTIVATED),
)


def total(count: int) -> int:
    """
    Count the accounts.

    Parameters
    ----------
    count : int
        How many each role has.

    Returns
    -------
    int
    """
    return len(ROLES) * count + len(_EXTRA)


def token_of(seed: int, user: int) -> str:
    """
    Give the token of a user. Whoever knows the seed knows it: datasets are for testing.

    Parameters
    ----------
    seed : int
        Of the dataset.
    user : int
        The user's id.

    Returns
    -------
    str
        ``crm_`` and 40 hexadecimal digits.
    """
    key = seed.to_bytes(8, "little")
    return "crm_" + hashlib.blake2b(b"token %d" % user, key=key, digest_size=20).hexdigest()


def password_of(seed: int) -> str:
    """
    Give the password of every account of a dataset.

    Parameters
    ----------
    seed : int
        Of the dataset.

    Returns
    -------
    str
    """
    return f"trueload-{seed}"


def salt_of(seed: int) -> str:
    """
    Give the salt of that password.

    Parameters
    ----------
    seed : int
        Of the dataset.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hashlib.blake2b(b"salt", key=seed.to_bytes(8, "little"), digest_size=8).hexdigest()


def write_accounts(folder: Path, seed: int, people: Iterable[Account]) -> None:
    """
    Write the file that holds what the database keeps hashes of; nobody else may read it.

    Parameters
    ----------
    folder : Path
        Of the dataset; an older file is replaced.
    seed : int
        Of the dataset.
    people : iterable of Account
        All of them.
    """
    path = folder / FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    with path.open("w", encoding="utf-8") as file:
        header = {"format": FORMAT, "password": password_of(seed)}
        file.write(json.dumps(header) + "\n")
        for person in people:
            line = {key: value for key, value in asdict(person).items() if key != "note" or value}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_accounts(path: Path) -> tuple[str, list[Account]]:
    """
    Read what `write_accounts` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of str and list of Account
        The password, and the accounts by id.

    Raises
    ------
    ValueError
        When it is no such file.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        return json.loads(header)["password"], [Account(**json.loads(line)) for line in lines]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: no file of accounts: {error!r}") from None
