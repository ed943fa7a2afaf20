"""What is read of both databases: lists, filters, pages, searches, reports, and bad input."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from tests.support.parity import Ask

BIG = 2**63 - 1
EVERYONE = ("admin", "manager", "marketing", "support", "sales", "portal")

_LISTS = (
    "customers",
    "products",
    "orders",
    "feedback",
    "customers/{customer}/orders",
    "customers/{customer}/timeline",
)
_QUERIES = (
    "limit=1",
    "limit=200",
    "limit=201",
    "limit=0",
    "limit=-1",
    "limit=007",
    "limit=1.0",
    "limit=",
    "limit=%D9%A1",
    f"limit={BIG}",
    f"limit={'9' * 400}",
    "limit=1&limit=2",
    "after=",
    "after=x",
    "after=W10",
    "after=bnVsbA",
    "after=%00",
    "after=%F0%9F%98%80",
    f"after={'a' * 201}",
    "unknown=1",
    "%F0%9F%98%80=1",
)
_FILTERS = (
    "customers?status=active",
    "customers?status=ACTIVE",
    "customers?status=",
    "customers?status=churned&segment=enterprise",
    "customers?segment=consumer&owner_id={owner}",
    "customers?owner_id={other_owner}",
    f"customers?owner_id={BIG}",
    f"customers?owner_id={BIG + 1}",
    "customers?owner_id=0",
    "orders?status=new",
    "orders?status=shipped&limit=3",
    "orders?status=lost",
    "feedback?status=new",
    "feedback?status=resolved&limit=2",
    "feedback?status=%20new",
)
_SEARCHES = (
    "a",
    "A",
    "an",
    "z",
    " an",
    "an ",
    "a  n",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "*",
    "ß",
    "SS",
    "straß",
    "STRASS",
    "İ",
    "i",
    "istanbul",
    "ﬁ",
    "FI",
    "Å",
    "A\u030a",
    "Ａ",
    "Ω",
    "ς",
    "σ",
    "日",
    "日本",
    "שלום",
    "ש",
    "😀",
    "👩\u200d👩",
    "\u200b",
    "ǆ",
    "a\u0301",
    "\U0010ffff",
    "\x00",
    "x" * 100,
    "x" * 101,
    "ﷺ",
    "@",
    "NAMES@parity.example",
    "names@PARITY.example ",
    "names@parity",
    "nobody@parity.example",
)
_REPORTS = (
    "reports/sales",
    "reports/sales?group=month",
    "reports/sales?group=week",
    "reports/sales?from=2025-01&to=2025-03",
    "reports/sales?from=2025-03&to=2025-01",
    "reports/sales?from=2025-13",
    "reports/sales?from=2025-1",
    "reports/sales?to=9999-12",
    "reports/sales?from=%D9%A2025-01",
    "reports/rfm",
    "reports/rfm?x=1",
    "reports/satisfaction",
    "reports/retention",
)


def asks() -> Iterator[Ask]:
    """Give all of them."""
    yield from _lists()
    yield from _searches()
    for path in _REPORTS:
        yield Ask(path, "manager", "GET", f"/api/v1/{path}")
    yield Ask("a report for sales", "sales", "GET", "/api/v1/reports/rfm")
    yield from _records()


def _lists() -> Iterator[Ask]:
    """Give lists, whole and narrowed, for everybody, and with odd parameters."""
    for path in _LISTS:
        yield Ask(f"the whole of {path}", "admin", "GET", f"/api/v1/{path}?limit=40", pages=40)
        for who in EVERYONE[1:]:
            yield Ask(f"{path} for {who}", who, "GET", f"/api/v1/{path}?limit=5", pages=2)
    for query in _QUERIES:
        yield Ask(f"customers?{query[:30]}", "admin", "GET", f"/api/v1/customers?{query}")
    for path in _LISTS[1:]:
        for query in _QUERIES[:: len(_QUERIES) // 4]:
            yield Ask(f"{path}?{query[:30]}", "manager", "GET", f"/api/v1/{path}?{query}")
    for path in _FILTERS:
        for who in ("admin", "sales"):
            yield Ask(f"{path} for {who}", who, "GET", f"/api/v1/{path}", pages=2)


def _searches() -> Iterator[Ask]:
    """Give texts to search for."""
    for text in _SEARCHES:
        for path in ("search", "suggest"):
            yield Ask(f"{path} {text!r:.30}", "admin", "GET", f"/api/v1/{path}?q={quote(text)}")
    yield Ask("search of a rep", "sales", "GET", "/api/v1/search?q=a")
    yield Ask("search without a text", "admin", "GET", "/api/v1/search")
    yield Ask("search for 50", "admin", "GET", "/api/v1/search?q=m&limit=50")
    yield Ask("search for 51", "admin", "GET", "/api/v1/search?q=m&limit=51")


def _records() -> Iterator[Ask]:
    """Give single records: there, not there, somebody else's, and odd ids."""
    paths = {
        "customers/{customer}": EVERYONE,
        "customers/{other_customer}": ("sales", "portal", "support"),
        "orders/{order}": EVERYONE,
        "orders/{other_order}": ("sales", "portal"),
        "feedback/{feedback}": EVERYONE,
        "feedback/{other_feedback}": ("sales", "portal"),
        "products/1": EVERYONE,
        "customers/{other_customer}/timeline": ("sales",),
        "customers/{other_customer}/orders": ("sales", "portal"),
    }
    for path, people in paths.items():
        for who in people:
            yield Ask(f"{path} for {who}", who, "GET", f"/api/v1/{path}")
    for key in ("0", "00001", "-1", "1.0", f"{BIG}", f"{BIG + 1}", "9" * 30, "%D9%A1", "x", "1%00"):
        for path in ("customers", "orders", "feedback", "products"):
            yield Ask(f"{path}/{key}", "admin", "GET", f"/api/v1/{path}/{key}")
    for tag in ('"1"', 'W/"1"', "*", '"99"', "1", ""):
        name, headers = f"If-None-Match {tag}", {"If-None-Match": tag}
        yield Ask(name, "admin", "GET", "/api/v1/customers/{customer}", headers=headers)
        yield Ask(name, "admin", "GET", "/api/v1/orders/{order}", headers=headers)
    for who in ("nobody", "unknown", "expired", "closed"):
        yield Ask(f"a list for {who}", who, "GET", "/api/v1/customers")
    yield Ask("a method that there is not", "admin", "PUT", "/api/v1/customers")
    yield Ask("an address that there is not", "admin", "GET", "/api/v1/nothing")
    yield Ask("the document", "nobody", "GET", "/api/v1/openapi.json")
    yield Ask("HEAD", "admin", "HEAD", "/api/v1/customers/{customer}")
    yield Ask("the page", "nobody", "GET", "/feedback")
    yield Ask("an older page", "nobody", "GET", "/feedback?after=x")
