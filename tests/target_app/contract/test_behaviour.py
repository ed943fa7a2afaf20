"""What holds beyond single answers: pages of lists, ownership, versions, keys, limits, refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.target_app.contract.tour import Tourist

pytestmark = pytest.mark.slow

_LIMIT = 64 * 1024
_ITEM = {"product_id": 1, "qty": 2}


def walk(tourist: Tourist, who: str, path: str) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    found: list[dict[str, Any]] = []
    following = f"{path}{'&' if '?' in path else '?'}limit=70"
    while following:
        answer = tourist.ask(who, "GET", following)
        page = answer.json()
        found += page["items"]
        link = answer.headers.get("Link")
        assert (link is None) == (page["next"] is None)
        following = link[1 : link.index(">")] if link else ""
    return found


@pytest.mark.parametrize(
    ("path", "key"),
    [("customers", "created_at"), ("orders", "placed_at"), ("feedback", "created_at")],
)
def test_a_list_holds_every_record_once_newest_first(tourist: Tourist, path: str, key: str) -> None:
    rows = tourist.ask("admin", "GET", "/api/v1/_audit").json()["rows"]
    items = walk(tourist, "admin", f"/api/v1/{path}")
    assert len(items) == len({item["id"] for item in items}) == rows[path]
    order = [(item[key], item["id"]) for item in items]
    assert order == sorted(order, reverse=True)


def test_a_rep_sees_the_own_portfolio_alone(tourist: Tourist) -> None:
    items = walk(tourist, "sales", "/api/v1/customers")
    assert {item["owner_id"] for item in items} == {tourist.ids["owner"]}
    own = {item["id"] for item in items}
    for path in ("orders", "feedback"):
        assert {item["customer_id"] for item in walk(tourist, "sales", f"/api/v1/{path}")} <= own
    orders = walk(tourist, "portal", "/api/v1/customers/{customer}/orders")
    assert {order["customer_id"] for order in orders} == {tourist.ids["customer"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "people"),
    [
        ("GET", "customers/{other_customer}", None, "sales portal"),
        ("PATCH", "customers/{other_customer}", {"city": "Rome"}, "sales"),
        ("GET", "customers/{other_customer}/timeline", None, "sales"),
        (
            "POST",
            "customers/{other_customer}/activities",
            {"kind": "note", "subject": "A"},
            "sales",
        ),
        ("GET", "customers/{other_customer}/orders", None, "sales portal"),
        ("GET", "customers/{other_customer}/loyalty", None, "sales portal"),
        ("GET", "orders/{other_order}", None, "sales portal"),
        ("PATCH", "orders/{other_order}", {"status": "paid"}, "sales"),
        ("GET", "feedback/{other_feedback}", None, "sales portal"),
    ],
)
def test_what_is_somebody_elses_is_not_there(
    tourist: Tourist, method: str, path: str, body: Any, people: str
) -> None:
    for who in people.split():
        theirs = tourist.ask(who, method, f"/api/v1/{path}", body)
        nobodys = tourist.ask(who, method, f"/api/v1/{path}".replace("{other_", "{missing_"), body)
        assert theirs.status_code == nobodys.status_code == 404
        # Not even the words tell the two apart.
        said, would_say = (answer.json()["detail"] for answer in (theirs, nobodys))
        assert said.translate(_DIGITS) == would_say.translate(_DIGITS)
    if method == "GET" and "feedback" not in path and "timeline" not in path:
        assert tourist.see("sales", f"/{path}").status_code == 404


_DIGITS = str.maketrans(dict.fromkeys("0123456789"))


def test_an_order_or_feedback_for_somebody_elses_customer_is_refused(tourist: Tourist) -> None:
    order = {"customer_id": "{other_customer}", "items": [_ITEM]}
    told = {
        "customer_id": "{other_customer}",
        "content": "A",
        "name": "A",
        "email": "a@tour.example",
    }
    for who in ("sales", "portal"):
        for path, body in (("orders", order), ("feedback", told)):
            answer = tourist.ask(who, "POST", f"/api/v1/{path}", body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["path"] == "/customer_id"


def test_an_order_is_the_sum_of_its_items_and_moves_as_it_may(tourist: Tourist) -> None:
    body = {"customer_id": "{customer}", "items": [_ITEM, {"product_id": 2, "qty": 3}]}
    created = tourist.ask("sales", "POST", "/api/v1/orders", body)
    order = created.json()
    assert order["total_cents"] == sum(i["qty"] * i["unit_price_cents"] for i in order["items"])
    path = f"/api/v1/orders/{order['id']}"
    assert created.headers["Location"] == path
    assert tourist.ask("portal", "GET", path).json() == order
    for status, expected in (
        ("shipped", 409),
        ("paid", 200),
        ("paid", 409),
        ("shipped", 200),
        ("cancelled", 409),
        ("lost", 422),
    ):
        answer = tourist.ask("support", "PATCH", path, {"status": status})
        assert answer.status_code == expected, status
    assert tourist.ask("sales", "GET", path).json()["version"] == 3


def test_feedback_is_answered_and_resolved(tourist: Tourist) -> None:
    path = tourist.fill("/api/v1/feedback/{new_feedback}")
    said = tourist.ask("support", "POST", f"{path}/responses", {"content": "Thanks."}).json()
    there = tourist.ask("manager", "GET", path).json()
    assert (there["status"], there["responses"]) == ("answered", [said])
    assert there["first_response_at"] == said["created_at"]
    assert there["assigned_to"] == said["user_id"]
    assert tourist.ask("support", "PATCH", path, {"status": "resolved"}).status_code == 200
    assert tourist.ask("support", "PATCH", path, {"status": "resolved"}).status_code == 409


def test_a_stale_version_changes_nothing(tourist: Tourist) -> None:
    path = tourist.fill("/api/v1/customers/{own}")
    read = tourist.ask("sales", "GET", path)
    assert read.headers["ETag"] == '"1"'
    known = {"If-None-Match": '"1"'}
    again = tourist.ask("sales", "GET", path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    mine = {"If-Match": '"1"'}
    changed = tourist.ask("sales", "PATCH", path, {"city": "Ulm"}, mine)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert tourist.ask("sales", "PATCH", path, {"city": "Bonn"}, mine).status_code == 412
    assert tourist.ask("admin", "DELETE", path, headers=mine).status_code == 412
    assert tourist.ask("sales", "GET", path, headers=known).json()["city"] == "Ulm"
    assert tourist.ask("admin", "DELETE", path, headers={"If-Match": '"2"'}).status_code == 204
    assert tourist.ask("admin", "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customers", {"name": "Key", "email": "{email}"}),
        ("orders", {"customer_id": "{customer}", "items": [_ITEM]}),
        ("feedback", {"content": "A", "name": "A", "email": "a@tour.example"}),
        ("customers/{customer}/activities", {"kind": "note", "subject": "A"}),
        ("feedback/{new_feedback}/responses", {"content": "A"}),
    ],
)
def test_a_request_with_a_key_is_done_once(tourist: Tourist, path: str, body: Any) -> None:
    path, body = tourist.fill(f"/api/v1/{path}"), tourist.fill(body)
    headers = {"Idempotency-Key": tourist.fill("{email}").replace("@", ".")}
    before = tourist.ask("admin", "GET", "/api/v1/_audit").json()["rows"]
    first, again = (tourist.ask("admin", "POST", path, body, headers) for _ in range(2))
    after = tourist.ask("admin", "GET", "/api/v1/_audit").json()["rows"]
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers.get(name) == again.headers.get(name)
    primary = ("customers", "orders", "feedback", "activities", "responses")
    assert sum(after[name] - before[name] for name in primary) == 1
    other = body | {next(iter(body)): "B"}
    assert tourist.ask("admin", "POST", path, other, headers).status_code == 422


def test_a_body_may_have_64_kib_and_no_more(tourist: Tourist) -> None:
    body = json.dumps({"name": "Long", "email": tourist.fill("{email}")}).encode()
    just = body + b" " * (_LIMIT - len(body))
    assert tourist.ask("admin", "POST", "/api/v1/customers", just).status_code == 201
    assert tourist.ask("admin", "POST", "/api/v1/customers", just + b" ").status_code == 413


def test_a_page_of_a_list_has_200_items_at_most(tourist: Tourist) -> None:
    assert len(tourist.ask("admin", "GET", "/api/v1/orders?limit=200").json()["items"]) == 200
    assert tourist.ask("admin", "GET", "/api/v1/orders?limit=201").status_code == 422


_BAD: list[tuple[int, str, str, Any, dict[str, str]]] = [
    (400, "POST", "customers", b"{", {}),
    (400, "POST", "orders", b"\xff", {}),
    (400, "PATCH", "customers/{customer}", b"[" * 9000, {}),
    (404, "GET", "customers/0", None, {}),
    (404, "GET", "customers/9223372036854775808", None, {}),
    (404, "GET", "customers/x", None, {}),
    (404, "PATCH", "customers/0", {"city": "A"}, {}),
    (404, "DELETE", "customers/9223372036854775808", None, {}),
    (404, "DELETE", "customers/99999999999999999999", None, {}),
    (404, "GET", "nothing", None, {}),
    (405, "PUT", "customers", b"{}", {}),
    (405, "DELETE", "orders/{order}", None, {}),
    (405, "PATCH", "reports/rfm", b"{}", {}),
    (409, "DELETE", "customers/{customer}", None, {}),
    (412, "PATCH", "customers/{customer}", {"city": "A"}, {"If-Match": '"999"'}),
    (412, "PATCH", "orders/{order}", {"status": "paid"}, {"If-Match": '"999"'}),
    (412, "PATCH", "feedback/{feedback}", {"status": "resolved"}, {"If-Match": '"999"'}),
    (413, "POST", "feedback", b" " * (_LIMIT + 1), {}),
    (415, "POST", "customers", b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}),
    (415, "POST", "feedback/{feedback}/responses", b"{}", {"Content-Type": "text/plain"}),
    (422, "POST", "customers", {}, {}),
    (422, "POST", "customers", {"name": "A", "email": "nowhere"}, {}),
    (422, "POST", "customers", {"name": "A", "email": "a@b.example", "vip": True}, {}),
    (422, "PATCH", "customers/{customer}", {"name": None}, {}),
    (422, "POST", "orders", {"customer_id": "{customer}", "items": []}, {}),
    (422, "POST", "customers/{customer}/activities", {"kind": "lunch", "subject": "A"}, {}),
    (422, "POST", "feedback/{feedback}/responses", {"content": "\x00"}, {}),
    (422, "GET", "customers?limit=x", None, {}),
    (422, "GET", "customers?after=x", None, {}),
    (422, "GET", "search", None, {}),
    (422, "GET", "reports/sales?group=day", None, {}),
    (422, "GET", "products/1?x=1", None, {}),
    (422, "POST", "customers", {"name": "A"}, {"Idempotency-Key": "a b"}),
]


@pytest.mark.parametrize(("status", "method", "path", "body", "headers"), _BAD)
def test_bad_input_is_answered_with_a_problem(
    tourist: Tourist, status: int, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    answer = tourist.ask("admin", method, f"/api/v1/{path}", body, headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert bool(problem["errors"]) == (status in {409, 422})
    assert ("Allow" in answer.headers) == (status == 405)


def test_an_address_that_is_taken_is_a_conflict(tourist: Tourist) -> None:
    email = tourist.fill("{email}")
    body = {"name": "A", "email": email}
    assert tourist.ask("admin", "POST", "/api/v1/customers", body).status_code == 201
    body["email"] = email.upper()
    answer = tourist.ask("admin", "POST", "/api/v1/customers", body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (409, "/email")


def test_a_form_of_another_session_is_refused(tourist: Tourist) -> None:
    told = {"content": "Forged.", "name": "A", "email": "a@tour.example"}
    new = {"name": "Forged", "email": "{email}"}
    for token in ("", "wrong", tourist.token("sales")):
        assert tourist.send("manager", "/feedback", told, token).status_code == 400
        assert tourist.send("manager", "/customers/new", new, token).status_code == 400
        assert tourist.send(None, "/feedback", told, token).status_code == 400
    found = tourist.ask("admin", "GET", "/api/v1/search?q=Forged").json()["items"]
    assert found == []


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/customers/new", {"name": "", "email": "nowhere"}, 422),
        ("/customers/{customer}/edit", {"name": "A", "email": "a@tour.example", "version": 0}, 409),
        ("/customers/{customer}/activities", {"kind": "call", "subject": ""}, 422),
        ("/orders/{order}/status", {"status": "lost", "version": 1}, 422),
        ("/orders/{new_order}/status", {"status": "paid", "version": 7}, 409),
        ("/feedback/{feedback}/responses", {"content": " "}, 422),
        ("/feedback/{new_feedback}/resolve", {"version": 7}, 409),
        ("/feedback", {"content": "x" * 501, "name": "", "email": ""}, 422),
    ],
)
def test_a_form_with_mistakes_is_shown_again(
    tourist: Tourist, path: str, fields: dict[str, Any], status: int
) -> None:
    answer = tourist.send("admin", path, fields)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_a_form_that_is_too_long_is_refused(tourist: Tourist) -> None:
    told = {"content": "x" * (_LIMIT + 1)}
    assert tourist.send(None, "/feedback", told).status_code == 413
