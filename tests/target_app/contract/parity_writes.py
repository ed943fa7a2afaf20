"""What is written to both databases: ordinary, at its bounds, in conflict, again, and hostile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.parity import Ask

BIG = 2**63 - 1

_NAMES = (
    "Straße 1",
    "STRASSE 2",
    "strasse 3",
    "İstanbul",
    "istanbul",
    "ISTANBUL",
    "ﬁne",
    "FINE",
    "ǆ",
    "Åsa",
    "A\u030asa",
    "Ａｄａ",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "日本 太郎",
    "日本太郎",
    "שלום",
    "مرحبا",
    "😀 Smile",
    "👩\u200d👩\u200d👧 Family",
    "%percent",
    "_under",
    "back\\slash",
    "quo'te",
    'dou"ble',
    "a\u200bb",
    "\u00adsoft",
    "ﷺ",
    "\U0010ffff",
    "z",
    "Z",
    "Zz",
)
_BAD_VALUES: dict[str, tuple[Any, ...]] = {
    "name": ("", " ", "a" * 120, "a" * 121, "😀" * 120, "😀" * 121, " padded ", "a\nb", "a\x00b",
             "\ud800", "\x7f", "\u2028x", None, 1, True, [], {}, 1.0, "e\u0301" * 60),
    "email": ("Mixed.Case@Parity.Example", "mixed.case@parity.example", "a@b", "a@@b.example",
              "ä@b.example", "@b.example", "a" * 243 + "@b.example", "a" * 245 + "@b.example",
              " spaced@parity.example ", "a b@parity.example", None, "", 7),
    "phone": ("+49 (0) 40/123-4.5", "", "12x", "１２３", "x" * 33, None, "0" * 32),
    "company": (None, "", "K" * 120, "K" * 121, "ﬀ" * 120, "ß Co"),
    "country": ("DE", "de", "DEU", "ÄÖ", "", None),
    "status": ("active", "Active", "", None, 0, "lead "),
    "segment": ("enterprise", "unknown", None),
    "owner_id": (1, 0, -1, BIG, BIG + 1, 10**30, 1.0, 1.5, "1", True, None, "{portal}"),
    "unknown": (1,),
    "na/me~": (1,),
}  # fmt: skip
_BAD_BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"NaN",
    b"{} {}",
    b"\xff",
    b"\xef\xbb\xbf{}",
    b"[" * 3000,
    b'{"name": 1e400}',
    b'{"name":' + b"1" * 5000 + b"}",
    b'{"name": "A", "name": "B", "email": "twice@parity.example"}',
    b" " * 70_000,
)


def asks() -> Iterator[Ask]:
    """Give all of them; who reads afterwards finds what was written."""
    yield from _customers()
    yield from _conditions()
    yield from _activities()
    yield from _orders()
    yield from _feedback()
    yield from _pages()
    yield from _removals()


def _post(name: str, who: str, path: str, body: Any, **more: Any) -> Ask:
    return Ask(name, who, "POST", f"/api/v1/{path}", body, **more)


def _patch(name: str, who: str, path: str, body: Any, **more: Any) -> Ask:
    return Ask(name, who, "PATCH", f"/api/v1/{path}", body, **more)


def _customers() -> Iterator[Ask]:
    for number, name in enumerate(_NAMES):
        body = {"name": name, "email": f"n{number}@parity.example", "company": f"{name} & Co"}
        yield _post(f"customer {name!r}", "manager", "customers", body)
    body = {"name": "Names", "email": "Names@parity.example", "phone": "+1 2", "city": "Köln"}
    yield _post("a customer of a rep", "sales", "customers", body, keep="ada")
    for field, values in _BAD_VALUES.items():
        for number, value in enumerate(values):
            email = f"{len(field)}-{number}-{field[:2]}@parity.example".replace("/", "")
            body = {"name": "Bounds", "email": email, field: value}
            yield _post(f"{field} = {value!r:.30}", "admin", "customers", body)
            yield _patch(f"change {field} to {value!r:.30}", "admin", "customers/{ada}", body)
    for number, raw in enumerate(_BAD_BODIES):
        yield _post(f"body {number}", "admin", "customers", raw)
    yield _post("no JSON", "admin", "customers", b"{}", headers={"Content-Type": "text/plain"})
    yield _post("by a role that may not", "support", "customers", {"name": "A"})
    yield _post("by nobody", "nobody", "customers", {"name": "A"})
    yield _post("by a token for reading", "reader", "customers", {"name": "A"})
    stolen = {"name": "A", "email": "a@parity.example", "owner_id": "{other_owner}"}
    yield _post("a rep gives one away", "sales", "customers", stolen)
    yield _patch("a rep gives it away", "sales", "customers/{ada}", {"owner_id": "{other_owner}"})
    yield _patch("another rep", "other_sales", "customers/{ada}", {"name": "B"})
    yield _patch("one that is not there", "admin", f"customers/{BIG}", {"name": "B"})
    yield _patch("nothing", "admin", "customers/{ada}", {})
    yield Ask("what became of it", "sales", "GET", "/api/v1/customers/{ada}")


def _conditions() -> Iterator[Ask]:
    """Give versions and keys."""
    there = "customers/{customer}"
    for tag in ('"99"', "*", 'W/"1"', "1", "", '"1", "2"', '"'):
        headers = {"If-Match": tag}
        yield _patch(f"If-Match {tag}", "admin", there, {"city": f"of {tag}"}, headers=headers)
    body = {"name": "Key", "email": "key@parity.example"}
    key = {"Idempotency-Key": "parity-key-1"}
    yield _post("with a key", "manager", "customers", body, headers=key)
    yield _post("again with the key", "manager", "customers", body, headers=key)
    yield _post("another with the key", "manager", "customers", body | {"city": "X"}, headers=key)
    yield _post("the key of somebody else", "admin", "customers", body, headers=key)
    for odd in ("", "a b", "x" * 64, "x" * 65, "ä", "%"):
        headers = {"Idempotency-Key": odd}
        yield _post(f"key {odd!r:.20}", "manager", "feedback", {"content": "x"}, headers=headers)
    order: dict[str, Any] = {"customer_id": "{customer}", "items": [{"product_id": 1, "qty": 2}]}
    key = {"Idempotency-Key": "parity-order"}
    for number in range(2):
        yield _post(f"order with a key {number}", "manager", "orders", order, headers=key)
    refused = order | {"customer_id": BIG}
    key = {"Idempotency-Key": "parity-refused"}
    yield _post("refused with a key", "manager", "orders", refused, headers=key)
    yield _post("mended with the key", "manager", "orders", order, headers=key)


def _activities() -> Iterator[Ask]:
    path = "customers/{customer}/activities"
    body: dict[str, Any]
    same = "2025-02-03T04:05:06Z"
    for number in range(5):
        body = {"kind": "note", "subject": f"At once {number}", "occurred_at": same}
        yield _post(f"at the same moment {number}", "support", path, body)
    yield Ask(
        "turn over equal keys", "admin", "GET", "/api/v1/customers/{customer}/timeline?limit=2",
        pages=5,
    )  # fmt: skip
    moments: tuple[Any, ...] = (
        "2025-02-03T04:05:06.123456Z", "2025-02-03T04:05:06.1234567Z", "2025-02-30T00:00:00Z",
        "2025-02-03T04:05:06+02:00", "2025-02-03", "2025-02-03 04:05:06Z", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2025-02-03T24:00:00Z", "", 1, None,
        "2025-02-03T04:05:60Z", "２０25-02-03T04:05:06Z",
    )  # fmt: skip
    for moment in moments:
        body = {"kind": "call", "subject": "When", "occurred_at": moment}
        yield _post(f"occurred at {moment!r}", "sales", path, body)
    texts: tuple[Any, ...] = ("line\nand\ttab", "a\r\nb", "x" * 2000, "x" * 2001, "", " ", "\x0b")
    for text in texts:
        body = {"kind": "email", "subject": "Body", "body": text}
        yield _post(f"body {text!r:.20}", "marketing", path, body)
    for subject in ("s" * 200, "s" * 201, "\n", "😀" * 200, None):
        yield _post(f"subject {subject!r:.20}", "admin", path, {"kind": "task", "subject": subject})
    yield _post("a kind", "admin", path, {"kind": "Call", "subject": "A"})
    one = {"kind": "call", "subject": "A"}
    yield _post("another's customer", "other_sales", path, one)
    yield _post("by the portal", "portal", path, one)
    yield _post("of nobody", "admin", f"customers/{BIG}/activities", one)


def _orders() -> Iterator[Ask]:
    item = {"product_id": 1, "qty": 1}
    order = {"customer_id": "{customer}", "items": [item]}
    for who in ("admin", "sales", "other_sales", "portal", "other_portal", "marketing"):
        yield _post(f"an order by {who}", who, "orders", order)
    yield _post("an order", "admin", "orders", order | {"currency": "EUR"}, keep="bought")
    many: dict[str, list[Any]] = {
        "none": [],
        "50": [item] * 50,
        "51": [item] * 51,
        "the same twice": [item, item],
        "1,000 pieces": [{"product_id": 2, "qty": 1000}],
        "1,001 pieces": [{"product_id": 2, "qty": 1001}],
        "no pieces": [{"product_id": 2, "qty": 0}],
        "1.0 pieces": [{"product_id": 2, "qty": 1.0}],
        "a true piece": [{"product_id": 2, "qty": True}],
        "products that are not there": [{"product_id": BIG, "qty": 1}, {"product_id": 0, "qty": 1}],
        "too large a product": [{"product_id": BIG + 1, "qty": 1}],
        "more than a product": [item | {"price_cents": 1}],
        "no product": [None],
        "a list": [[]],
    }
    for name, items in many.items():
        yield _post(f"an order of {name}", "admin", "orders", order | {"items": items})
    for body in ({}, {"items": [item]}, order | {"items": None}, order | {"currency": "usd"}):
        yield _post(f"an order {list(body)}", "admin", "orders", body)
    steps = ("shipped", "new", "paid", "paid", "lost", "shipped", "cancelled", None)
    for status in steps:
        yield _patch(f"order to {status}", "support", "orders/{bought}", {"status": status})
    yield _patch("order to nothing", "support", "orders/{bought}", {})
    yield _patch("order by marketing", "marketing", "orders/{bought}", {"status": "paid"})
    yield _patch("order of another", "other_sales", "orders/{order}", {"status": "paid"})
    stale = {"If-Match": '"99"'}
    yield _patch("stale order", "admin", "orders/{order}", {"status": "paid"}, headers=stale)
    yield Ask("the order", "portal", "GET", "/api/v1/orders/{bought}")


def _feedback() -> Iterator[Ask]:
    told: dict[str, Any] = {"content": "Fine.", "name": "Ada", "email": "ada@parity.example"}
    for who in ("admin", "sales", "portal", "marketing"):
        yield _post(f"feedback by {who}", who, "feedback", told)
    kept = told | {"customer_id": "{customer}", "score": 5, "nps": 10}
    yield _post("feedback of a customer", "sales", "feedback", kept, keep="told")
    odd: dict[str, tuple[Any, ...]] = {
        "content": (
            "x" * 500,
            "x" * 501,
            "👍" * 500,
            "a\nb",
            "a\r\nb",
            "\x00",
            "",
            None,
            "ab\u202e",
        ),
        "name": ("n" * 50, "n" * 51, "\ud83d"),
        "email": ("E@PARITY.example", "e" * 85 + "@parity.example", "e" * 90 + "@parity.example"),
        "score": (1, 5, 0, 6, 1.0, True, "5", None, BIG + 1),
        "nps": (0, 10, 11, -1, None),
        "customer_id": (BIG, "{other_customer}", None, 0),
    }
    for field, values in odd.items():
        for value in values:
            body = told | {field: value}
            yield _post(f"feedback, {field} = {value!r:.20}", "support", "feedback", body)
    yield _post("a portal's of another", "portal", "feedback", kept | {"customer_id": 1})
    path = "feedback/{told}/responses"
    for content in ("Thank you.", "c" * 2000, "c" * 2001, "", "مرحبا\nשלום", None):
        yield _post(f"response {content!r:.20}", "support", path, {"content": content})
    yield _post("response by sales", "sales", path, {"content": "A"})
    yield _post("response to nothing", "support", f"feedback/{BIG}/responses", {"content": "A"})
    key = {"Idempotency-Key": "parity-response"}
    for _ in range(2):
        yield _post("response with a key", "support", path, {"content": "Once."}, headers=key)
    changes: tuple[dict[str, Any], ...] = (
        {"assigned_to": "{portal}"}, {"assigned_to": BIG}, {"assigned_to": None}, {"status": "new"},
        {"status": None}, {}, {"status": "resolved"}, {"status": "resolved"}, {"other": 1},
    )  # fmt: skip
    for change in changes:
        yield _patch(f"feedback to {change}", "manager", "feedback/{told}", change)
    yield _patch("feedback by sales", "sales", "feedback/{told}", {"status": "resolved"})
    yield Ask("the feedback", "portal", "GET", "/api/v1/feedback/{told}")


def _pages() -> Iterator[Ask]:
    """Give the public form."""
    told = {"content": "On the page.", "name": "Ada", "email": "Ada@Parity.example"}
    forms: dict[str, dict[str, str]] = {
        "as it should be": {},
        "of markup": {"content": "<script>alert(1)</script> & more", "name": "<b>"},
        "of right-to-left": {"content": "مرحبا שלום 😀", "name": "日本"},
        "at its bounds": {"content": "x" * 500, "name": "n" * 50},
        "beyond them": {"content": "x" * 501, "name": "n" * 51, "email": "e" * 101},
        "of blanks": {"content": " \n ", "name": "\t", "email": " "},
        "of NUL": {"content": "a\x00b"},
        "without an address": {"email": "nowhere"},
        "with lines": {"content": "one\r\ntwo\nthree"},
    }
    for name, fields in forms.items():
        yield Ask(f"a form {name}", "nobody", "POST", "/feedback", form=told | fields)
    yield Ask("a form of nothing", "nobody", "POST", "/feedback", form={})
    yield Ask("a form without a token", "nobody", "POST", "/feedback", form={"csrf_token": "wrong"})
    yield Ask("the page afterwards", "nobody", "GET", "/feedback")


def _removals() -> Iterator[Ask]:
    path = "/api/v1/customers/{ada}"
    yield Ask("remove by sales", "sales", "DELETE", path)
    yield Ask("remove a stale one", "admin", "DELETE", path, headers={"If-Match": '"1"'})
    yield Ask("remove", "admin", "DELETE", path)
    yield Ask("remove again", "admin", "DELETE", path)
    yield Ask("remove one with orders", "admin", "DELETE", "/api/v1/customers/{customer}")
    body = {"name": "Last", "email": "last@parity.example"}
    yield _post("the newest", "admin", "customers", body, keep="last")
    yield Ask("remove the newest", "admin", "DELETE", "/api/v1/customers/{last}")
    yield _post("one after it", "admin", "customers", body, keep="after")
    yield Ask("the one that was removed", "admin", "GET", "/api/v1/customers/{last}")
    yield _post("its address is taken", "admin", "customers", body)
