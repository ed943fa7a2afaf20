"""What answers must say: each check names what is wrong, or gives None."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def is_page(body: Any, **same: Any) -> str | None:
    """Check a page of a listing.

    Parameters
    ----------
    body : object
        Parsed JSON.
    **same : object
        What must stand in every item.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        return "no list of items"
    for item in body["items"]:
        if not isinstance(item, dict):
            return "an item is no record"
        for name, value in same.items():
            if item.get(name) != value:
                return f"an item of another {name} came"
    return None


def has(record: Any, **values: Any) -> str | None:
    """Check a record.

    Parameters
    ----------
    record : object
        Parsed JSON.
    **values : object
        What must stand in it.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(record, dict):
        return "no record"
    wrong = [name for name, value in values.items() if record.get(name) != value]
    return f"another {wrong[0]} came back" if wrong else None


def is_refusal(body: Any, status: int) -> str | None:
    """Check a refusal that is right: a problem document (RFC 9457) of that status."""
    fits = isinstance(body, dict) and body.get("status") == status and body.get("title")
    return None if fits else "a refusal that is no problem document"


Written = tuple[str, int]
"""When something was written, as the CRM tells it, and its id."""


def still_holds(page: Any, moment: str, written: Written | None) -> str | None:
    """Check that a list, newest first, shows what was written.

    Parameters
    ----------
    page : dict
        A first page that :func:`is_page`.
    moment : str
        The field by which the list is ordered, ties by ``id``.
    written : tuple of (str, int) or None
        What must be there, unless so much was added since that it is on a later page.

    Returns
    -------
    str or None
        What is wrong.
    """
    if written is None:
        return None
    items = page["items"]
    if written[1] in {item.get("id") for item in items}:
        return None
    last = (items[-1].get(moment), items[-1].get("id")) if items else None
    if page.get("next") and last is not None and last > written:
        return None
    return "what was written before is not there"


def follows(
    items: Collection[Mapping[str, Any]], moment: str, before: Written | None
) -> str | None:
    """Check that records are newer first, none twice, and all after the page before.

    Parameters
    ----------
    items : collection of mapping
        Of a page.
    moment : str
        The field by which the list is ordered, ties by ``id``.
    before : tuple of (str, int) or None
        The last record of the page before.

    Returns
    -------
    str or None
        What is wrong.
    """
    for item in items:
        key = (str(item.get(moment)), int(item.get("id", 0)))
        if before is not None and key >= before:
            return "a record came twice, or out of order"
        before = key
    return None


def adds_up(order: Any, customer: int, items: int | None = None) -> str | None:
    """Check an order: whose it is, how many items it has, and that they add up to its total.

    Parameters
    ----------
    order : object
        Parsed JSON.
    customer : int
        Whose it must be.
    items : int, optional
        How many it must have.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(order, dict) or not isinstance(order.get("items"), list):
        return "no order"
    if order.get("customer_id") != customer or items not in {None, len(order["items"])}:
        return "another order came back"
    total = sum(item["qty"] * item["unit_price_cents"] for item in order["items"])
    return None if total == order.get("total_cents") else "the total is not the sum of the items"
