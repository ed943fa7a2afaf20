"""``/``: what somebody needs first, by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, render_template

from target_app import caching, feedback, insights, orders
from target_app.accounts import EVERYBODY, Account
from target_app.insights import present, rfm, sales, satisfaction
from target_app.pages import figures, respond
from target_app.pages.registrar import Pages

pages = Pages("dashboard")

_ROWS = 8
_MONTHS = 6
_CACHED_S = 60


@pages.get("/", allow=EVERYBODY, cached_s=_CACHED_S)
def show_overview(account: Account) -> Response:
    """
    Show the overview.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        The page: own customers, orders and leads for sales; the queue for those who answer
        feedback; the figures of the house for those who read reports; own orders on the portal.
    """
    parts = {
        name: part(account) if account.role in _SEEN_BY[name] else None
        for name, part in _PARTS.items()
    }
    return respond(render_template("dashboard.html", **parts))


def _portfolio(account: Account) -> Mapping[str, Any]:
    return {
        "counts": figures.portfolio(account.id),
        "orders": _newest_orders(account),
        "leads": figures.oldest_leads(account.id, _ROWS),
    }


def _newest_orders(account: Account) -> Sequence[Mapping[str, Any]]:
    query = {"limit": _ROWS, "after": None, "status": None}
    newest: Sequence[Mapping[str, Any]] = orders.list_orders(account, query).get_json()["items"]
    return newest


def _queue(account: Account) -> Mapping[str, Any]:
    del account
    number = figures.waiting_number()
    return {
        "items": figures.waiting_feedback(_ROWS),
        "number": min(number, figures.WAITING_COUNTED),
        "more": number > figures.WAITING_COUNTED,
    }


def _reports(account: Account) -> Mapping[str, Any]:
    del account
    measures: Mapping[str, Callable[[], Any]] = {
        "sales": _sales,
        "satisfaction": satisfaction.measure,
        "rfm": rfm.segments,
    }
    return {
        name: caching.remember(("insights", "overview", name), _CACHED_S, measure)
        for name, measure in measures.items()
    }


def _sales() -> Mapping[str, Any]:
    """Sum up the last months with orders, the latest first: how many, and revenue by currency."""
    now = present.now()
    found = sales.by_month(_months_before(now[:7], _MONTHS)) if now else []
    months: dict[str, dict[str, Any]] = {}
    for row in found:
        month = months.setdefault(row["month"], {"orders": 0, "revenue": {}})
        month["orders"] += row["orders"]
        month["revenue"][row["currency"]] = row["revenue_cents"]
    last = [{"month": month, **sums} for month, sums in months.items()][-_MONTHS:]
    return {"months": last[::-1], "currencies": sorted({row["currency"] for row in found})}


def _months_before(month: str, number: int) -> str:
    """Count back from a month, such as 2025-03."""
    months = 12 * int(month[:4]) + int(month[5:]) - 1 - number
    return f"{months // 12:04}-{months % 12 + 1:02}"


def _own_orders(account: Account) -> Mapping[str, Any]:
    if account.customer_id is None:
        return {"items": [], "next": None}
    page = orders.OF_CUSTOMER.page(_ROWS, customer_id=account.customer_id)
    return {"items": page.items, "next": page.next}


_PARTS: Mapping[str, Callable[[Account], Mapping[str, Any]]] = {
    "portfolio": _portfolio,
    "queue": _queue,
    "reports": _reports,
    "own_orders": _own_orders,
}
_SEEN_BY = {
    "portfolio": frozenset({"sales"}),
    "queue": feedback.HANDLERS,
    "reports": insights.READERS,
    "own_orders": frozenset({"portal"}),
}
