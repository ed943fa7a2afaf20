"""``/api/v1/customers``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Response
from sqlalchemy import and_, bindparam, delete, insert, select, true, update
from sqlalchemy import exists as there_is
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from target_app import answers, caching, changes, conditions, database, portfolios, schemas
from target_app.accounts import EVERYBODY, MANAGERS, STAFF, Account
from target_app.api import Api
from target_app.folding import fold
from target_app.ids import ID_MAX
from target_app.models import (
    CUSTOMER_STATUSES,
    SEGMENTS,
    STAFF_ROLES,
    Activity,
    Customer,
    Feedback,
    Order,
    User,
    table_of,
)
from target_app.paging import PAGE, Listing, Related
from target_app.problems import Conflict, FieldError, Invalid
from target_app.rules import RECORD, Choice, Digits, Email, Text
from target_app.validation import Field, Parameter

api = Api("customers")

_customers, _users = table_of(Customer), table_of(User)
_orders, _activities, _feedback = map(table_of, (Order, Activity, Feedback))
FIELDS = {
    name: _customers.c[name]
    for name in (
        "id",
        "name",
        "email",
        "phone",
        "company",
        "city",
        "country",
        "status",
        "segment",
        "owner_id",
        "version",
        "created_at",
        "updated_at",
    )
}

SCHEMA = {
    "name": Field(Text(120)),
    "email": Field(Email(254)),
    "phone": Field(
        Text(32, pattern=re.compile(r"[0-9+() ./x-]+"), form="digits, spaces and + ( ) . / x -"),
        required=False,
    ),
    "company": Field(Text(120), required=False),
    "city": Field(Text(80), required=False),
    "country": Field(
        Text(2, pattern=re.compile(r"[A-Z]{2}"), form="two capital letters (ISO 3166)"),
        required=False,
    ),
    "status": Field(Choice(CUSTOMER_STATUSES), required=False, default="lead"),
    "segment": Field(Choice(SEGMENTS), required=False, default="consumer"),
    "owner_id": Field(RECORD, required=False),
}
"""Of a new customer. A sales rep's is the rep's own, whoever the body names: that is refused."""

EDITORS = frozenset({"sales", "manager", "admin"})
"""The roles that may create and change customers."""

_ANSWER = schemas.record(FIELDS)
_OWNER_NAME = Related("owner_name", _users.c.name, via="owner_id")
_PAGE = schemas.page(schemas.record(FIELDS, owner_name={"type": ["string", "null"]}))
_FILTERS = PAGE | {
    "status": Parameter(Choice(CUSTOMER_STATUSES), about="Only customers of this status."),
    "segment": Parameter(Choice(SEGMENTS), about="Only customers of this segment."),
    "owner_id": Parameter(Digits(1, ID_MAX), about="Only the portfolio of this user."),
}
_KEY = ("created_at", "id")

_ID = _customers.c.id == bindparam("customer_id")
_BY_ID = select(*FIELDS.values()).where(_ID)
_LOCKED = _BY_ID.with_for_update(key_share=True)
_SELLS = select(
    there_is()
    .where(_users.c.id == bindparam("user_id"))
    .where(_users.c.is_active)
    .where(_users.c.role.in_(STAFF_ROLES))
)
_HAS_ORDERS = select(there_is().where(_orders.c.customer_id == bindparam("customer_id")))
_INSERT = insert(_customers)
_UPDATE = update(_customers).where(_ID)
_DELETE = delete(_customers).where(_ID)
_DELETE_ACTIVITIES = delete(_activities).where(
    _activities.c.customer_id == bindparam("customer_id")
)
_KEEP_FEEDBACK = (
    update(_feedback)
    .where(_feedback.c.customer_id == bindparam("of_customer"))
    .values(customer_id=None, owner_id=None, version=_feedback.c.version + 1)
)


@functools.cache
def _listing(*filters: str) -> Listing:
    """Give the list whose rows equal the parameters of some names."""
    where = and_(true(), *(_customers.c[name] == bindparam(f"only_{name}") for name in filters))
    return Listing(FIELDS, _KEY, where, related=_OWNER_NAME)


@api.get("/customers", allow=STAFF, query=_FILTERS, answers={200: _PAGE}, cached_s=5)
def list_customers(account: Account, query: Mapping[str, Any]) -> Response:
    """
    List customers, newest first; a sales rep's own portfolio.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        A page.
    """
    wanted = {name: query[name] for name in ("status", "segment", "owner_id") if query[name]}
    if account.portfolio is not None:
        if wanted.get("owner_id", account.portfolio) != account.portfolio:
            return answers.ok({"items": [], "next": None})
        wanted["owner_id"] = account.portfolio
    only = {f"only_{name}": value for name, value in wanted.items()}
    return _listing(*wanted).answer(query, **only)


@api.get("/customers/<record:customer_id>", allow=EVERYBODY, answers={200: _ANSWER}, versioned=True)
def open_customer(account: Account, customer_id: int) -> Response:
    """
    Open one customer.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which.

    Returns
    -------
    Response
        The record.
    """
    return conditions.record(read(account, customer_id))


@api.post(
    "/customers",
    allow=EDITORS,
    body=SCHEMA,
    answers={201: _ANSWER},
    idempotent=True,
    versioned=True,
)
def create_customer(account: Account, body: dict[str, Any]) -> Response:
    """
    Create a customer; a sales rep's is the rep's own.

    Parameters
    ----------
    account : Account
        Who creates it.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        201 and the record.
    """
    if account.portfolio is not None and body["owner_id"] is None:
        body["owner_id"] = account.portfolio
    _check_owner(account, body["owner_id"])
    moment = database.now()
    values = body | {"version": 1, "created_at": moment, "updated_at": moment}
    with _unique_email():
        key = database.insert(_INSERT, values | _keys(values))
    return conditions.tagged(answers.created(f"/api/v1/customers/{key}", {"id": key, **values}), 1)


@api.patch(
    "/customers/<record:customer_id>",
    allow=EDITORS,
    body=SCHEMA,
    answers={200: _ANSWER},
    versioned=True,
)
def change_customer(account: Account, customer_id: int, body: dict[str, Any]) -> Response:
    """
    Change some fields of a customer (a merge patch, RFC 7396).

    A new owner gets its orders and its feedback with it.

    Parameters
    ----------
    account : Account
        Who changes it.
    customer_id : int
        Which.
    body : dict of str to object
        The fields to change; null removes what may be left out.

    Returns
    -------
    Response
        The record as it is now.
    """
    there = read(account, customer_id, lock=True)
    conditions.require_match(there["version"])
    if "owner_id" in body:
        _check_owner(account, body["owner_id"])
    values = body | {"version": there["version"] + 1, "updated_at": database.now()}
    with _unique_email():
        database.change(_UPDATE.values(values | _keys(values)), customer_id=customer_id)
    if values.get("owner_id", there["owner_id"]) != there["owner_id"]:
        portfolios.hand_over(customer_id, values["owner_id"])
    changes.note(account, "customer", customer_id, f"changed {', '.join(body) or 'nothing'}")
    return conditions.record(there | values)


@api.delete("/customers/<record:customer_id>", allow=MANAGERS, answers={204: None}, versioned=True)
def remove_customer(account: Account, customer_id: int) -> Response:
    """
    Remove a customer without orders, and its timeline; its feedback stays, without its name.

    Parameters
    ----------
    account : Account
        Who removes it.
    customer_id : int
        Which.

    Returns
    -------
    Response
        204.

    Raises
    ------
    Conflict
        409, when it has orders: they are kept.
    """
    there = read(account, customer_id, lock=True)
    conditions.require_match(there["version"])
    if database.rows(_HAS_ORDERS, customer_id=customer_id)[0][0]:
        raise Conflict([FieldError("/", "has orders, which are kept; make it inactive instead")])
    caching.writes_also("activities", "feedback")
    changes.outlive(account, customer_id)
    database.change(_DELETE_ACTIVITIES, customer_id=customer_id)
    database.change(_KEEP_FEEDBACK, of_customer=customer_id)
    database.change(_DELETE, customer_id=customer_id)
    changes.note(account, "customer", customer_id, "removed")
    return Response(status=204)


def read(account: Account, customer_id: int, *, lock: bool = False) -> dict[str, Any]:
    """
    Read a customer that an account may see.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which.
    lock : bool
        Whether it is going to be changed.

    Returns
    -------
    dict of str to object
        The record.

    Raises
    ------
    NotFound
        404, when there is none, or it is in somebody else's portfolio: who may not see it is not
        told that it exists.
    """
    found = database.rows(_LOCKED if lock else _BY_ID, customer_id=customer_id)
    if found:
        customer = dict(zip(FIELDS, found[0], strict=True))
        if portfolios.visible(account, customer_id, customer["owner_id"]):
            return customer
    raise NotFound(f"Customer {customer_id} does not exist.")


def _check_owner(account: Account, owner_id: int | None) -> None:
    """
    Hold a new owner against who names it.

    Raises
    ------
    Invalid
        When it is none that may be.
    """
    if account.portfolio is not None and owner_id != account.portfolio:
        raise Invalid([FieldError("/owner_id", "must be your own id: a sales rep gives none away")])
    if owner_id is not None and not database.rows(_SELLS, user_id=owner_id)[0][0]:
        raise Invalid([FieldError("/owner_id", "is no member of staff that exists")])


def _keys(values: Mapping[str, Any]) -> dict[str, str | None]:
    """Make the search keys of the texts that are given."""
    return {
        f"{name}_key": values[name] and fold(values[name])
        for name in ("name", "company")
        if name in values
    }


@contextmanager
def _unique_email() -> Iterator[None]:
    """
    Say so when somebody else has the e-mail address.

    Raises
    ------
    Conflict
        409.
    IntegrityError
        When it is another rule that is broken.
    """
    try:
        yield
    except IntegrityError as error:
        if "email" not in str(error.orig):
            raise
        message = "is the e-mail address of another customer"
        raise Conflict([FieldError("/email", message)]) from None
