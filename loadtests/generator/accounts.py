"""Who virtual users are: an account of the CRM each, never two the same.

The file comes with the dataset: a header, then a line of JSON for each account.
Tokens and the password are read here, sent, and written nowhere.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.errors import UsageError

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Account:
    """Somebody who may sign in.

    Attributes
    ----------
    id : int
        In the CRM.
    role : str
        What it may do.
    customer_id : int or None
        Of a portal account: whose orders it sees.
    token : str
        Bearer token.
    email, name : str
        How it signs in at the pages, and how these call it then.
    """

    id: int
    role: str = field(compare=False)
    customer_id: int | None = field(compare=False)
    token: str = field(compare=False, repr=False)
    email: str = field(compare=False)
    name: str = field(compare=False)


class Accounts:
    """The accounts of a dataset, handed out one by one.

    Parameters
    ----------
    accounts : iterable of Account
        All that a virtual user may have.
    password : str
        With which each of them signs in at the pages.
    """

    def __init__(self, accounts: Iterable[Account], password: str = "") -> None:
        self.password = password
        self._free: dict[str, list[Account]] = {}
        for account in sorted(accounts):
            self._free.setdefault(account.role, []).append(account)

    def count(self, role: str) -> int:
        """How many of a role are free."""
        return len(self._free.get(role, ()))

    def take(self, role: str) -> Account:
        """Hand out the first free account of a role.

        Parameters
        ----------
        role : str
            As the CRM names it.

        Returns
        -------
        Account
            Nobody else's until it is given back.

        Raises
        ------
        UsageError
            When there is none: two users with one account would not be two users.
        """
        if not self.count(role):
            raise UsageError(f"no free account of the role {role} is left")
        return heapq.heappop(self._free[role])

    def give_back(self, account: Account) -> None:
        """Take an account back from a user that has ended."""
        heapq.heappush(self._free[account.role], account)


def read_accounts(path: Path, shard: tuple[int, int] = (0, 1)) -> Accounts:
    """Read the file of a dataset's accounts.

    Parameters
    ----------
    path : Path
        The file.
    shard : tuple of (int, int)
        Which generator process of how many asks. Of each role it gets the accounts whose
        place is that number modulo that many, so that no two virtual users of a run share
        one.

    Returns
    -------
    Accounts
        Those that nothing is unusual about (expired, read-only, closed).

    Raises
    ------
    UsageError
        When it is no such file; the message repeats nothing of it.
    """
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        about = json.loads(header)
        known = about["format"] == FORMAT
        found = [_account(json.loads(line)) for line in lines] if known else []
        password = str(about["password"]) if known else ""
    except OSError as error:
        raise UsageError(f"{path}: the accounts cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise UsageError(
            f"{path}: is no file of accounts; allowed: the one that trueload app seed makes "
            f"beside a dataset, of format {FORMAT}"
        )
    return Accounts(_shard((one for one in found if one is not None), *shard), password)


def _shard(accounts: Iterable[Account], index: int, count: int) -> Iterator[Account]:
    places: Counter[str] = Counter()
    for account in sorted(accounts):
        if places[account.role] % count == index:
            yield account
        places[account.role] += 1


def _account(line: dict[str, object]) -> Account | None:
    if line.get("note"):
        return None
    key, customer = line["id"], line["customer_id"]
    if not isinstance(key, int) or not isinstance(customer, int | None):
        raise TypeError(type(key).__name__)
    return Account(
        id=key,
        role=str(line["role"]),
        customer_id=customer,
        token=str(line["token"]),
        email=str(line["email"]),
        name=str(line["name"]),
    )
