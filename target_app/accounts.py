"""Who asks: accounts, known by a bearer token or by a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from cachetools import TTLCache
from flask import Flask, current_app, request
from sqlalchemy import bindparam, select
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from target_app import database
from target_app.models import STAFF_ROLES, ApiToken, User, table_of

STAFF = frozenset(STAFF_ROLES)
PORTAL = frozenset({"portal"})
EVERYBODY = STAFF | PORTAL
MANAGERS = frozenset({"manager", "admin"})

_ASKED = WWWAuthenticate("bearer", {"realm": "crm"})
_KNOWN_FOR_S = 5.0
_KNOWN_MOST = 8192

_users, _tokens = table_of(User), table_of(ApiToken)
_COLUMNS = (_users.c.id, _users.c.name, _users.c.email, _users.c.role, _users.c.customer_id)
_BY_TOKEN = (
    select(*_COLUMNS, _tokens.c.scopes)
    .join(_users, _users.c.id == _tokens.c.user_id)
    .where(_tokens.c.token_sha256 == bindparam("sha256"))
    .where(_tokens.c.expires_at > bindparam("now"))
    .where(_users.c.is_active)
)
_BY_ID = select(*_COLUMNS).where(_users.c.id == bindparam("user_id")).where(_users.c.is_active)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may do something."""

    id: int
    name: str
    email: str
    role: str
    customer_id: int | None = None
    """Of a portal account: the customer whose records it sees."""
    writes: bool = True
    """Whether its token is good for more than reading."""

    @property
    def portfolio(self) -> int | None:
        """The owner whose customers alone this account sees; None when it sees all of them."""
        return self.id if self.role == "sales" else None


class Known:
    """
    Accounts that were looked up within the last seconds, so that not every request asks again.

    An account that is closed, or a token that is withdrawn, is good for up to five seconds more.
    """

    def __init__(self) -> None:
        self._accounts: TTLCache[Hashable, Account] = TTLCache(_KNOWN_MOST, _KNOWN_FOR_S)
        self._lock = Lock()

    def get(self, key: Hashable, look_up: Callable[[], Account | None]) -> Account | None:
        """
        Give an account by its key.

        Parameters
        ----------
        key : hashable
            The hash of a token, or a user's id.
        look_up : callable
            Asks the database; called without a lock, so that a slow one holds up nobody else.

        Returns
        -------
        Account or None
            None, when there is none; that is not remembered.
        """
        with self._lock:
            account = self._accounts.get(key)
        if account is None:
            account = look_up()
            if account is not None:
                with self._lock:
                    self._accounts[key] = account
        return account


def install(app: Flask) -> None:
    """
    Give an application its memory of accounts.

    Parameters
    ----------
    app : Flask
        The application.
    """
    app.extensions["crm_accounts"] = Known()


def by_token() -> Account:
    """
    Give the account whose bearer token the current request carries.

    Returns
    -------
    Account

    Raises
    ------
    Unauthorized
        401, when it carries none, or one that is unknown, expired or of a closed account.
    """
    authorization = request.authorization
    token = authorization.token if authorization and authorization.type == "bearer" else None
    if not token:
        raise Unauthorized(
            "Send an Authorization header with a bearer token.", www_authenticate=_ASKED
        )
    sha256 = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    account = _known().get(sha256, lambda: _look_up_token(sha256))
    if account is None:
        raise Unauthorized("The token is unknown, expired or withdrawn.", www_authenticate=_ASKED)
    return account


def by_id(user_id: int) -> Account | None:
    """
    Give the account of a session.

    Parameters
    ----------
    user_id : int
        Whose.

    Returns
    -------
    Account or None
        None, when it is closed.
    """
    return _known().get(user_id, lambda: _look_up_user(user_id))


def require(account: Account, roles: frozenset[str], *, writes: bool) -> None:
    """
    Hold an account against what an operation asks for.

    Parameters
    ----------
    account : Account
        Who asks.
    roles : frozenset of str
        Who may.
    writes : bool
        Whether the operation is more than reading.

    Raises
    ------
    Forbidden
        403, when it may not.
    """
    if account.role not in roles:
        raise Forbidden(f"This is not open to the role {account.role}.")
    if writes and not account.writes:
        raise Forbidden("This token is good for reading only.")


def _look_up_token(sha256: str) -> Account | None:
    found = database.rows_aside(_BY_TOKEN, sha256=sha256, now=database.now())
    if not found:
        return None
    known = dict(found[0]._mapping)
    scopes: str = known.pop("scopes")
    return Account(**known, writes="write" in scopes.split())


def _look_up_user(user_id: int) -> Account | None:
    found = database.rows_aside(_BY_ID, user_id=user_id)
    return Account(**found[0]._mapping) if found else None


def _known() -> Known:
    known: Known = current_app.extensions["crm_accounts"]
    return known
