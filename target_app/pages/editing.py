"""``/customers/new`` and ``/customers/<id>/edit``: the form of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template
from sqlalchemy import bindparam, select

from target_app import customers, database
from target_app.accounts import Account
from target_app.models import CUSTOMER_STATUSES, SEGMENTS, User, table_of
from target_app.pages import respond, see_other
from target_app.pages.forms import Form
from target_app.pages.registrar import Pages
from target_app.problems import Conflict, FieldError, Invalid
from target_app.rules import Email, Refused

pages = Pages("editing")

_LABELS = {
    "name": "Name",
    "email": "E-mail address",
    "phone": "Phone",
    "company": "Company",
    "city": "City",
    "country": "Country",
    "status": "Status",
    "segment": "Segment",
}
_OWNER = {"owner": "Owner"}
_STALE = "Somebody has changed this customer since you opened the form."

_ADDRESS = Email(254)
_users = table_of(User)
_ID_OF = select(_users.c.id).where(_users.c.email == bindparam("email"))
_EMAIL_OF = select(_users.c.email).where(_users.c.id == bindparam("user_id"))


@pages.get("/customers/new", allow=customers.EDITORS)
def show_new(account: Account) -> Response:
    """
    Show the form for a new customer.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        The page.
    """
    return _render(Form(_labels(account), {"status": "lead", "segment": "consumer"}))


@pages.post("/customers/new", allow=customers.EDITORS, resource="customers")
def add_customer(account: Account) -> Response:
    """
    Take the form for a new customer.

    Parameters
    ----------
    account : Account
        Who adds it.

    Returns
    -------
    Response
        303 to the customer's page; or 422 or 409, the form again.
    """
    form = Form.sent(_labels(account))
    try:
        created = customers.create_customer(account, _body(account, form)).get_json()
    except (Invalid, Conflict) as refusal:
        _refuse(form, refusal)
        return _render(form)
    return see_other(f"/customers/{created['id']}?done=created")


@pages.get("/customers/<record:customer_id>/edit", allow=customers.EDITORS)
def show_edit(account: Account, customer_id: int) -> Response:
    """
    Show the form of a customer.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        The page, with the version that it shows.
    """
    there = customers.read(account, customer_id)
    return _render(Form(_labels(account), there | {"owner": _owner(account, there)}), there)


@pages.post("/customers/<record:customer_id>/edit", allow=customers.EDITORS, resource="customers")
def change_customer(account: Account, customer_id: int) -> Response:
    """
    Take the form of a customer.

    Parameters
    ----------
    account : Account
        Who changes it.
    customer_id : int
        Which; 404, when the account may not see it.

    Returns
    -------
    Response
        303 to the customer's page; or 422 or 409, the form again with what was typed. 409 stands
        for what somebody else has changed meanwhile, too: the page then shows what it is now.
    """
    form = Form.sent(_labels(account))
    there = customers.read(account, customer_id, lock=True)
    try:
        form.require_version(there["version"], _STALE)
        customers.change_customer(account, customer_id, _body(account, form))
    except (Invalid, Conflict) as refusal:
        _refuse(form, refusal)
        return _render(form, there)
    return see_other(f"/customers/{customer_id}?done=changed")


def _labels(account: Account) -> Mapping[str, str]:
    """Name the fields of the form; a sales rep gives no customer away."""
    return _LABELS if account.portfolio is not None else _LABELS | _OWNER


def _body(account: Account, form: Form) -> dict[str, Any]:
    """
    Make of a form what the API takes.

    Raises
    ------
    Invalid
        With all its errors.
    """
    schema = {name: customers.SCHEMA[name] for name in _LABELS}
    errors: list[FieldError] = []
    body, owner_id = {}, account.portfolio
    try:
        body = form.check(schema)
    except Invalid as invalid:
        errors += invalid.errors
    if "owner" in form.labels and form.values["owner"].strip():
        owner_id = _id_of(form.values["owner"])
        if owner_id is None:
            errors.append(FieldError("/owner", "is not the e-mail address of a colleague"))
    if errors:
        raise Invalid(errors)
    return body | {"owner_id": owner_id}


def _id_of(email: str) -> int | None:
    """Look somebody up by e-mail address."""
    try:
        found = database.rows(_ID_OF, email=_ADDRESS(email))
    except Refused:
        return None
    return found[0][0] if found else None


def _owner(account: Account, there: Mapping[str, Any]) -> str | None:
    """Give the e-mail address of a customer's owner, where the form shows it."""
    if account.portfolio is not None or there["owner_id"] is None:
        return None
    found = database.rows(_EMAIL_OF, user_id=there["owner_id"])
    return found[0][0] if found else None


def _refuse(form: Form, refusal: Invalid | Conflict) -> None:
    """Name the owner's field as the form does."""
    named = [
        FieldError(error.path.replace("/owner_id", "/owner"), error.message)
        for error in refusal.errors
    ]
    form.refuse(type(refusal)(named))


def _render(form: Form, there: Mapping[str, Any] | None = None) -> Response:
    """Render the form; of a customer that is there, or of a new one."""
    html = render_template(
        "edit.html",
        form=form,
        there=there,
        stale=form.errors.get("") == _STALE,
        statuses=CUSTOMER_STATUSES,
        segments=SEGMENTS,
    )
    return respond(html, form.status)
