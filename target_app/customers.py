"""``/api/v1/customers``."""

import re

from flask import Blueprint, Response
from sqlalchemy import bindparam, exists, insert, select
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import NotFound

from target_app import answers, bodies, database
from target_app.models import CUSTOMER_STATUSES, SEGMENTS, Customer, table_of
from target_app.paging import Listing
from target_app.problems import Conflict, FieldError
from target_app.rules import RECORD, Choice, Email, Text
from target_app.validation import Field, check

blueprint = Blueprint("customers", __name__)

_customers = table_of(Customer)
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

_LISTING = Listing(FIELDS, key=("created_at", "id"))
_BY_ID = select(*FIELDS.values()).where(_customers.c.id == bindparam("customer_id"))
_EXISTS = select(exists().where(_customers.c.id == bindparam("customer_id")))
_INSERT = insert(_customers)


@blueprint.get("/customers")
def list_customers() -> Response:
    """
    List customers, newest first.

    Returns
    -------
    Response
        A page.
    """
    return _LISTING.answer()


@blueprint.get("/customers/<record:customer_id>")
def open_customer(customer_id: int) -> Response:
    """
    Open one customer.

    Parameters
    ----------
    customer_id : int
        Which.

    Returns
    -------
    Response
        The record.

    Raises
    ------
    NotFound
        404, when there is no such customer.
    """
    found = database.rows(_BY_ID, customer_id=customer_id)
    if not found:
        raise NotFound(f"Customer {customer_id} does not exist.")
    return answers.ok(dict(zip(FIELDS, found[0], strict=True)))


@blueprint.post("/customers")
def create_customer() -> Response:
    """
    Create a customer.

    Returns
    -------
    Response
        201 and the record.

    Raises
    ------
    Conflict
        409, when somebody else has the e-mail address.
    """
    moment = database.now()
    values = check(SCHEMA, bodies.read_json())
    values |= {"version": 1, "created_at": moment, "updated_at": moment}
    try:
        key = database.insert(_INSERT, values)
    except IntegrityError:  # the e-mail address is the only rule that a checked body can break
        message = "is the e-mail address of another customer"
        raise Conflict([FieldError("/email", message)]) from None
    database.commit()
    return answers.created(f"/api/v1/customers/{key}", {"id": key, **values})


def customer_exists(customer_id: int) -> bool:
    """
    Tell whether there is a customer.

    Parameters
    ----------
    customer_id : int
        Which.

    Returns
    -------
    bool
    """
    return bool(database.rows(_EXISTS, customer_id=customer_id)[0][0])
