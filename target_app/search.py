"""``/api/v1/search`` and ``/api/v1/suggest``: customers by the beginning of a name, or by e-mail.

Each is a few ranges of an index that already has the order of the answer, so that it costs the
same whatever the number of customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import BigInteger, Column, CompoundSelect, Select, bindparam, select, union_all

from target_app import answers, database, schemas
from target_app.accounts import STAFF, Account
from target_app.api import Api
from target_app.folding import fold, prefix_range
from target_app.models import Customer, table_of
from target_app.rules import Digits, Text
from target_app.validation import Parameter

api = Api("search")

LIMIT_DEFAULT = 20
LIMIT_MAX = 50
SUGGESTED = 10

_customers = table_of(Customer)
FIELDS = {name: _customers.c[name] for name in ("id", "name", "company", "email", "city", "status")}
_SUGGESTED_FIELDS = {name: _customers.c[name] for name in ("id", "name")}
_OWN = _customers.c.owner_id == bindparam("owner_id")


def _items(fields: Mapping[str, Column[Any]]) -> schemas.Schema:
    """Describe a list that has no further pages."""
    items = {"type": "array", "items": schemas.record(fields)}
    return {"type": "object", "required": ["items"], "properties": {"items": items}}


def _beginning(key: Column[Any], fields: Mapping[str, Column[Any]], *, own: bool) -> Select[Any]:
    """Select the first customers, by key and id, whose key is in a range."""
    query = select(key.label("key"), *fields.values())
    if own:
        query = query.where(_OWN)
    return (
        query.where(key >= bindparam("first"), key < bindparam("beyond"))
        .order_by(key, _customers.c.id)
        .limit(bindparam("most", type_=BigInteger))
    )


def _found(*, own: bool) -> CompoundSelect[Any]:
    """Select by name and by company; a customer that is found by both comes twice."""
    by_name = _beginning(_customers.c.name_key, FIELDS, own=own).subquery()
    by_company = _beginning(_customers.c.company_key, FIELDS, own=own).subquery()
    return union_all(select(by_name), select(by_company))


def _by_email(*, own: bool) -> Select[Any]:
    query = select(*FIELDS.values()).where(_customers.c.email == bindparam("email"))
    return query.where(_OWN) if own else query


_FOUND = {own: _found(own=own) for own in (False, True)}
_BY_EMAIL = {own: _by_email(own=own) for own in (False, True)}
_SUGGESTED = {
    own: _beginning(_customers.c.name_key, _SUGGESTED_FIELDS, own=own) for own in (False, True)
}

_QUERY = Parameter(
    Text(100), required=True, about="The beginning of a name or company, or a whole e-mail address."
)
_SEARCH = {
    "q": _QUERY,
    "limit": Parameter(Digits(1, LIMIT_MAX), LIMIT_DEFAULT, about="How many items at most."),
}


@api.get("/search", allow=STAFF, query=_SEARCH, answers={200: _items(FIELDS)})
def search_customers(account: Account, query: Mapping[str, Any]) -> Response:
    """
    Search customers, in the order of the name or company that is found; sales, the own ones.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        The first items; who wants others types more.
    """
    return answers.ok({"items": find(account, query["q"], query["limit"])})


@api.get(
    "/suggest",
    allow=STAFF,
    query={"q": Parameter(Text(100), required=True, about="The beginning of a name.")},
    answers={200: _items(_SUGGESTED_FIELDS)},
)
def suggest_customers(account: Account, query: Mapping[str, Any]) -> Response:
    """
    Complete a name while it is typed: the first ten customers.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        Ids and names.
    """
    statement = _SUGGESTED[account.portfolio is not None]
    found = database.rows(statement, **_range(account, query["q"]), most=SUGGESTED)
    return answers.ok(
        {"items": [dict(zip(_SUGGESTED_FIELDS, row[1:], strict=True)) for row in found]}
    )


def find(account: Account, text: str, limit: int = LIMIT_DEFAULT) -> list[dict[str, Any]]:
    """
    Find the customers, as far as an account may see, that a text names.

    Parameters
    ----------
    account : Account
        Who asks.
    text : str
        With an ``@`` in it a whole e-mail address, else the beginning of a name or company.
    limit : int
        How many at most.

    Returns
    -------
    list of dict
        The fields of `FIELDS`, in the order of what was found, then of the id.
    """
    own = account.portfolio is not None
    if "@" in text:
        only = {"owner_id": account.portfolio} if own else {}
        found = database.rows(_BY_EMAIL[own], email=text.lower(), **only)
        return [dict(zip(FIELDS, row, strict=True)) for row in found]
    twice = map(tuple, database.rows(_FOUND[own], **_range(account, text), most=limit))
    # Both halves are in order. Python compares text by code point, as the databases do here.
    items: dict[int, dict[str, Any]] = {}
    for row in sorted(twice, key=lambda row: row[:2]):
        items.setdefault(row[1], dict(zip(FIELDS, row[1:], strict=True)))
    return list(items.values())[:limit]


def _range(account: Account, text: str) -> dict[str, object]:
    """Give the parameters that stand for the beginning of a key."""
    first, beyond = prefix_range(fold(text))
    only = {"owner_id": account.portfolio} if account.portfolio is not None else {}
    return {"first": first, "beyond": beyond, **only}
