"""Portfolios: whose a customer is, and who may see what belongs to it.

The owner of a customer is written to its orders and its feedback as well (``owner_id``), so that
the lists of a sales rep are read from one index each, whatever the size of the portfolio. Whoever
writes one of them gets the owner from `link`, and `hand_over` moves them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from werkzeug.exceptions import NotFound

from target_app import caching, database
from target_app.accounts import Account
from target_app.models import Customer, Feedback, Order, table_of

_customers = table_of(Customer)

_OWNER = select(_customers.c.owner_id).where(_customers.c.id == bindparam("customer_id"))
# Against a change of the owner, which locks the customer; other writers of this kind pass.
_KEPT_OWNER = _OWNER.with_for_update(read=True)
_HAND_OVER = [
    update(table)
    .where(table.c.customer_id == bindparam("of_customer"))
    .values(owner_id=bindparam("new_owner"))
    for table in (table_of(Order), table_of(Feedback))
]


@dataclass(frozen=True, slots=True)
class Link:
    """Whose something is: the columns that say so."""

    customer_id: int | None
    owner_id: int | None


NOBODY = Link(None, None)
"""Of what belongs to no customer."""


def visible(account: Account, customer_id: int | None, owner_id: int | None) -> bool:
    """
    Tell whether an account may see a customer, and what belongs to it.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int or None
        Which customer; None for what belongs to none.
    owner_id : int or None
        In whose portfolio it is.

    Returns
    -------
    bool
    """
    if account.role == "portal":
        return customer_id is not None and account.customer_id == customer_id
    return account.portfolio is None or account.portfolio == owner_id


def require_visible(account: Account, customer_id: int) -> None:
    """
    Make sure that a customer is there and that an account may see it.

    Parameters
    ----------
    account : Account
        Who asks.
    customer_id : int
        Which.

    Raises
    ------
    NotFound
        404, when there is none, or it is not for this account.
    """
    found = database.rows(_OWNER, customer_id=customer_id)
    if not found or not visible(account, customer_id, found[0][0]):
        raise NotFound(f"Customer {customer_id} does not exist.")


def link(account: Account, customer_id: int) -> Link | None:
    """
    Give what is to be written with something new of a customer.

    Parameters
    ----------
    account : Account
        Who writes it.
    customer_id : int
        Of which customer.

    Returns
    -------
    Link or None
        The customer keeps this owner until the transaction is over. None, when there is no such
        customer, as far as the account may see.
    """
    found = database.rows(_KEPT_OWNER, customer_id=customer_id)
    if not found or not visible(account, customer_id, found[0][0]):
        return None
    return Link(customer_id, found[0][0])


def hand_over(customer_id: int, owner_id: int | None) -> None:
    """
    Put what belongs to a customer into the portfolio of its new owner.

    Parameters
    ----------
    customer_id : int
        Which; locked, and changed in the same transaction.
    owner_id : int or None
        Whose it becomes.
    """
    caching.writes_also("orders", "feedback")
    for statement in _HAND_OVER:
        database.change(statement, of_customer=customer_id, new_owner=owner_id)
