"""Every operation and page: what to send, who may, and how it is answered then.

Written down apart from the application, so that a role that slips into a description is seen. Names
in braces stand for records: see `tests.target_app.contract.tour`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES = ("sales", "support", "marketing", "manager", "admin", "portal")
STAFF = frozenset(ROLES[:5])
ALL = frozenset(ROLES)
EDITORS = frozenset({"sales", "manager", "admin"})
MANAGERS = frozenset({"manager", "admin"})
ORDERS = frozenset({"sales", "support", "manager", "admin"})
ANSWERS = frozenset({"support", "manager", "admin"})
REPORTS = frozenset({"marketing", "manager", "admin"})
_API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that is answered well by whom it is open to."""

    method: str
    rule: str
    """As the application writes it, so that the table can be held against it."""
    roles: frozenset[str] | None
    """None for everybody, without an account too."""
    path: str
    status: int = 200
    body: Mapping[str, Any] | None = None
    """JSON, or the fields of a form."""
    holds: tuple[str, ...] = ()
    """Members that the answer must have, or words on the page."""


def _api(method: str, rule: str, roles: frozenset[str], path: str = "", **more: Any) -> Visit:
    return Visit(method, _API + rule, roles, _API + (path or rule), **more)


_PAGE = ("items", "next")
_ORDER = {"customer_id": "{customer}", "items": [{"product_id": 1, "qty": 2}]}
_CUSTOMER = {"name": "Tour", "email": "{email}"}
_FEEDBACK = {
    "content": "Said on tour.",
    "name": "Ada",
    "email": "ada@tour.example",
    "customer_id": "{customer}",
}
_ONE = "/customers/<record:customer_id>"

OPERATIONS = (
    _api("GET", "/customers", STAFF, holds=_PAGE),
    _api("GET", _ONE, ALL, "/customers/{customer}", holds=("id", "email", "version")),
    _api("POST", "/customers", EDITORS, status=201, body=_CUSTOMER, holds=("id", "version")),
    _api("PATCH", _ONE, EDITORS, "/customers/{customer}", body={"city": "Bath"}, holds=("city",)),
    _api("DELETE", _ONE, MANAGERS, "/customers/{removable}", status=204),
    _api("GET", f"{_ONE}/timeline", STAFF, "/customers/{customer}/timeline", holds=_PAGE),
    _api(
        "POST",
        f"{_ONE}/activities",
        STAFF,
        "/customers/{customer}/activities",
        status=201,
        body={"kind": "call", "subject": "Rang"},
        holds=("id", "occurred_at"),
    ),
    _api("GET", f"{_ONE}/orders", ALL, "/customers/{customer}/orders", holds=_PAGE),
    _api("GET", "/products", ALL, holds=_PAGE),
    _api("GET", "/products/<record:product_id>", ALL, "/products/1", holds=("sku", "price_cents")),
    _api("GET", "/orders", STAFF, holds=_PAGE),
    _api("GET", "/orders/<record:order_id>", ALL, "/orders/{order}", holds=("items", "number")),
    _api("POST", "/orders", ALL, status=201, body=_ORDER, holds=("id", "total_cents", "items")),
    _api(
        "PATCH",
        "/orders/<record:order_id>",
        ORDERS,
        "/orders/{new_order}",
        body={"status": "paid"},
        holds=("status", "items"),
    ),
    _api("GET", "/feedback", ALL, holds=_PAGE),
    _api(
        "GET", "/feedback/<record:feedback_id>", ALL, "/feedback/{feedback}", holds=("responses",)
    ),
    _api("POST", "/feedback", ALL, status=201, body=_FEEDBACK, holds=("id", "responses")),
    _api(
        "PATCH",
        "/feedback/<record:feedback_id>",
        ANSWERS,
        "/feedback/{new_feedback}",
        body={"status": "resolved"},
        holds=("resolved_at",),
    ),
    _api(
        "POST",
        "/feedback/<record:feedback_id>/responses",
        ANSWERS,
        "/feedback/{new_feedback}/responses",
        status=201,
        body={"content": "Thank you."},
        holds=("id", "user_name"),
    ),
    _api("GET", "/search", STAFF, "/search?q=a", holds=("items",)),
    _api("GET", "/suggest", STAFF, "/suggest?q=a", holds=("items",)),
    _api("GET", "/reports/sales", REPORTS, holds=("group", "items")),
    _api("GET", "/reports/rfm", REPORTS, holds=("customers", "segments")),
    _api("GET", "/reports/satisfaction", REPORTS, holds=("csat", "nps", "response_rate")),
    _api("GET", "/reports/retention", REPORTS, holds=("repeat_rate", "retention", "churn")),
    _api("GET", f"{_ONE}/loyalty", ALL, "/customers/{customer}/loyalty", holds=("balance",)),
    _api(
        "POST",
        f"{_ONE}/loyalty/redemptions",
        ALL,
        "/customers/{rich}/loyalty/redemptions",
        status=201,
        body={"points": 1},
        holds=("points",),
    ),
    _api("GET", "/_audit", MANAGERS, holds=("holds", "rows", "invariants")),
    _api("POST", "/_audit", MANAGERS, body={"request_ids": ["a"]}, holds=("found",)),
)

_SEND = {"content": "On the page.", "name": "Ada", "email": "ada@tour.example"}
_CALL = {"kind": "call", "subject": "Rang"}

PAGES = (
    Visit("GET", "/", ALL, "/", holds=("Overview",)),
    Visit("GET", "/login", None, "/login", holds=("Sign in",)),
    Visit("GET", "/customers", STAFF, "/customers", holds=("Customers",)),
    Visit("GET", _ONE, ALL, "/customers/{customer}", holds=("Contact", "Orders")),
    Visit("GET", f"{_ONE}/orders", ALL, "/customers/{customer}/orders", holds=("Orders",)),
    Visit("POST", f"{_ONE}/activities", STAFF, "/customers/{customer}/activities", 303, _CALL),
    Visit("GET", "/customers/new", EDITORS, "/customers/new", holds=("New customer",)),
    Visit("POST", "/customers/new", EDITORS, "/customers/new", 303, _CUSTOMER | {"status": "lead"}),
    Visit("GET", f"{_ONE}/edit", EDITORS, "/customers/{customer}/edit", holds=("Save",)),
    Visit(
        "POST", f"{_ONE}/edit", EDITORS, "/customers/{own}/edit", 303, _CUSTOMER | {"version": 1}
    ),
    Visit("GET", f"{_ONE}/loyalty", ALL, "/customers/{customer}/loyalty", holds=("points",)),
    Visit("GET", "/orders/<record:order_id>", ALL, "/orders/{order}", holds=("Order",)),
    Visit(
        "POST",
        "/orders/<record:order_id>/status",
        ORDERS,
        "/orders/{new_order}/status",
        303,
        {"status": "paid", "version": 1},
    ),
    Visit("GET", "/feedback", None, "/feedback", holds=("Feedback",)),
    Visit("POST", "/feedback", None, "/feedback", 303, _SEND),
    Visit("GET", "/feedback/queue", ANSWERS, "/feedback/queue", holds=("Feedback",)),
    Visit(
        "GET",
        "/feedback/<record:feedback_id>",
        ANSWERS,
        "/feedback/{feedback}",
        holds=("Your answer",),
    ),
    Visit(
        "POST",
        "/feedback/<record:feedback_id>/responses",
        ANSWERS,
        "/feedback/{new_feedback}/responses",
        303,
        {"content": "Thank you."},
    ),
    Visit(
        "POST",
        "/feedback/<record:feedback_id>/resolve",
        ANSWERS,
        "/feedback/{new_feedback}/resolve",
        303,
        {"version": 1},
    ),
)

SIGNING = (
    Visit("POST", "/login", None, "/login", 303),
    Visit("POST", "/logout", None, "/logout", 303),
)
"""Visited by whoever signs in and out."""

PUBLIC = (
    Visit("GET", "/healthz", None, "/healthz", holds=("status", "instance", "pid")),
    Visit("GET", "/readyz", None, "/readyz", holds=("status",)),
    Visit("GET", "/version", None, "/version", holds=("options", "dataset_hash", "database")),
    Visit("GET", "/metrics", None, "/metrics", holds=("# HELP",)),
    Visit("GET", "/static/<path:filename>", None, "/static/crm.css"),
    Visit("GET", f"{_API}/openapi.json", None, f"{_API}/openapi.json", holds=("paths",)),
)
