import json
from typing import Any

import pytest
from flask.testing import FlaskClient

CUSTOMER: dict[str, Any] = {"name": "Ada", "email": "ada@example.com"}
ORDER: dict[str, Any] = {"customer_id": 1, "items": [{"product_id": 1, "qty": 1}]}
FEEDBACK: dict[str, Any] = {"content": "Fine", "name": "Ada", "email": "ada@example.com"}
GOOD = {"customers": CUSTOMER, "orders": ORDER, "feedback": FEEDBACK}
CONTROL = "must not contain control characters or lone surrogates"
WHOLE = "must be a whole number; found "
ITEM = {"product_id": 1, "qty": 1}


@pytest.fixture
def client(shared_client: FlaskClient) -> FlaskClient:
    return shared_client


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback"])
@pytest.mark.parametrize(
    "key", ["0", "-1", "00", "99999999999999999999", "x", "1.5", "%00", "%ED%A0%80", "٣", "1e3"]
)
def test_an_id_that_names_nothing_is_not_found(
    client: FlaskClient, resource: str, key: str
) -> None:
    answer = client.get(f"/api/v1/{resource}/{key}")

    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["/api/v1/customers/9223372036854775807", "/api/v1/customers/9223372036854775807/orders"],
)
def test_the_largest_id_is_looked_up_and_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.get_json()["detail"] == "Customer 9223372036854775807 does not exist."


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1.0", "99999999999", "٣", "%00"])
def test_a_limit_out_of_bounds_is_refused(client: FlaskClient, limit: str) -> None:
    answer = client.get(f"/api/v1/orders?limit={limit}")

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"path": "limit", "message": "must be a whole number from 1 to 200"}
    ]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%00", "ééé", "W10", "bnVsbA", "WzFd", "W10=" * 400, "WyJ4IiwxXQ", "W1tdLCBbXV0",
     "WyIyMDI1LTEyLTMxVDIxOjI1OjA2LjI3Mjg1MloiLDBd", "W" * 20_000],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["/api/v1/orders", "/api/v1/feedback", "/api/v1/customers/1/timeline"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(
    client: FlaskClient, path: str, cursor: str
) -> None:
    assert client.get(path, query_string={"after": cursor}).status_code == 422


def test_a_cursor_of_another_list_is_refused(client: FlaskClient) -> None:
    cursor = client.get("/api/v1/products").get_json()["next"]

    assert client.get(f"/api/v1/orders?after={cursor}").status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"name": NaN}', 400),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000, 400),
        (b"1" * 60_000, 400),
        (b"\x00", 400),
        (b'"\xed\xa0\x80"', 400),
        (b"null", 422),
        (b"[]", 422),
        (b"1e400", 422),
        (b"[" * 500 + b"]" * 500, 422),
        (b'{"\\ud800": 1}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b" " * 65_537, 413),
        (b" " * 1_000_000, 413),
    ],
)
@pytest.mark.parametrize("resource", GOOD)
def test_a_body_that_is_no_object_is_refused(
    client: FlaskClient, resource: str, body: bytes, status: int
) -> None:
    answer = client.post(f"/api/v1/{resource}", data=body, content_type="application/json")

    problem = answer.get_json()
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert problem["status"] == status
    assert problem["instance"] == f"/api/v1/{resource}"
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert set(problem) == {"type", "title", "status", "detail", "instance", "request_id", "errors"}


def test_a_member_that_is_there_twice_is_refused_and_nothing_is_stored(
    client: FlaskClient,
) -> None:
    email = "twice@example.com"
    for body in (
        f'{{"name": "A", "name": "B", "email": "{email}"}}',
        f'{{"name": "A", "email": "{email}", "x": [{{"y": 1, "y": 1}}]}}',
    ):
        answer = client.post("/api/v1/customers", data=body, content_type="application/json")

        assert answer.status_code == 400
        assert answer.get_json()["detail"] == "The body names a member of an object twice."
    assert client.get(f"/api/v1/search?q={email}").get_json() == {"items": []}


@pytest.mark.parametrize("length", [65_537, 1_000_000])
def test_a_body_that_is_too_long_is_told_how_long_it_may_be(
    client: FlaskClient, length: int
) -> None:
    answer = client.post("/api/v1/customers", data=b" " * length, content_type="application/json")

    assert answer.status_code == 413
    assert answer.get_json()["detail"] == "The body is longer than 65536 bytes."


@pytest.mark.parametrize("path", ["/api/v1//customers", "/customers//1", "/customers/1//orders"])
def test_an_address_with_two_slashes_leads_nowhere_least_to_another_host(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path, headers={"Host": "evil.invalid"})

    assert answer.status_code == 404
    assert "Location" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_does_not_say_json_is_refused(client: FlaskClient, kind: str | None) -> None:
    answer = client.post("/api/v1/customers", data=json.dumps(CUSTOMER), content_type=kind)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("resource", "change", "path", "message"),
    [
        ("customers", {"name": ""}, "/name", "must have 1 to 120 characters; found 0"),
        ("customers", {"name": "n" * 121}, "/name", "must have 1 to 120 characters; found 121"),
        ("customers", {"name": None}, "/name", "is required"),
        ("customers", {"name": 7}, "/name", "must be text; found a number"),
        ("customers", {"name": True}, "/name", "must be text; found a boolean"),
        ("customers", {"name": ["x"]}, "/name", "must be text; found a list"),
        ("customers", {"name": "a\0b"}, "/name", CONTROL),
        ("customers", {"name": "a\nb"}, "/name", CONTROL),
        ("customers", {"name": "a\ud800"}, "/name", CONTROL),
        ("customers", {"email": "nobody"}, "/email", "must be an e-mail address"),
        ("customers", {"email": "a@b..c"}, "/email", "must be an e-mail address"),
        ("customers", {"email": "ä@b.c"}, "/email", "must be an e-mail address"),
        ("customers", {"email": "a@b" + "c" * 300}, "/email",
         "must have 1 to 254 characters; found 303"),
        ("customers", {"phone": "call me"}, "/phone", "must be digits, spaces and + ( ) . / x -"),
        ("customers", {"country": "us"}, "/country", "must be two capital letters (ISO 3166)"),
        ("customers", {"status": "gone"}, "/status",
         "must be one of lead, active, inactive, churned"),
        ("customers", {"status": ["lead"]}, "/status",
         "must be one of lead, active, inactive, churned"),
        ("customers", {"owner_id": 0}, "/owner_id", "must be from 1 to 9223372036854775807"),
        ("customers", {"owner_id": 2**63}, "/owner_id", "must be from 1 to 9223372036854775807"),
        ("customers", {"nmae/~": 1}, "/nmae~1~0", "is unknown; allowed are name, email, phone, "
         "company, city, country, status, segment, owner_id"),
        ("orders", {"customer_id": True}, "/customer_id", WHOLE + "a boolean"),
        ("orders", {"customer_id": 1.0}, "/customer_id", WHOLE + "a number"),
        ("orders", {"customer_id": "1"}, "/customer_id", WHOLE + "text"),
        ("orders", {"customer_id": 10**30}, "/customer_id",
         "must be from 1 to 9223372036854775807"),
        ("orders", {"items": []}, "/items", "must have 1 to 50 items; found 0"),
        ("orders", {"items": [ITEM] * 51}, "/items", "must have 1 to 50 items; found 51"),
        ("orders", {"items": {}}, "/items", "must be a list; found an object"),
        ("orders", {"items": [ITEM, None]}, "/items/1", "must be an object; found null"),
        ("orders", {"items": [{"product_id": 1}]}, "/items/0/qty", "is required"),
        ("orders", {"items": [ITEM | {"qty": 1001}]}, "/items/0/qty", "must be from 1 to 1000"),
        ("orders", {"currency": "usd"}, "/currency", "must be one of USD, EUR, GBP"),
        ("feedback", {"content": "c" * 501}, "/content",
         "must have 1 to 500 characters; found 501"),
        ("feedback", {"content": " \n "}, "/content", "must have 1 to 500 characters; found 0"),
        ("feedback", {"name": "n" * 51}, "/name", "must have 1 to 50 characters; found 51"),
        ("feedback", {"score": 6}, "/score", "must be from 1 to 5"),
        ("feedback", {"nps": -1}, "/nps", "must be from 0 to 10"),
        ("feedback", {"customer_id": 10**9}, "/customer_id", "is no customer that exists"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_is_allowed(
    client: FlaskClient, resource: str, change: dict[str, Any], path: str, message: str
) -> None:
    answer = client.post(f"/api/v1/{resource}", json=GOOD[resource] | change)

    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"path": path, "message": message}]


def test_all_errors_of_a_body_come_together(client: FlaskClient) -> None:
    body = {"customer_id": True, "items": [{"product_id": 0, "qty": 0}, 3], "note": "x"}
    answer = client.post("/api/v1/orders", json=body)

    paths = [error["path"] for error in answer.get_json()["errors"]]
    assert paths == ["/customer_id", "/items/0/product_id", "/items/0/qty", "/items/1", "/note"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/customers", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/api/v1/products", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/api/v1/orders/1", {"GET", "HEAD", "OPTIONS", "PATCH"}),
        ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_person_gets_an_error_as_a_page_and_a_program_as_a_problem(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    page = client.get("/nothing<b>", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert b"There is nothing at this address." in page.data
    assert client.get("/nothing").mimetype == "application/problem+json"
    assert client.get("/api/v1/x", headers=browser).mimetype == "application/problem+json"
