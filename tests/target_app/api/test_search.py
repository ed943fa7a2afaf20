from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from target_app.folding import fold
from target_app.models import db
from tests.support.crm import Crm


def found(client: FlaskClient, text: str, **more: object) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/search", query_string={"q": text, **more})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def add(crm: Crm, name: str, company: str | None = None, owner: int | None = None) -> int:
    email = f"a{crm.one('SELECT max(id) FROM customers')}@search.example"
    body = {"name": name, "company": company, "email": email, "owner_id": owner}
    return int(crm.of("admin").post("/api/v1/customers", json=body).get_json()["id"])


@pytest.mark.parametrize("text", ["a", "jo", "M", "wi"])
@pytest.mark.parametrize("limit", [1, 7, 50])
def test_a_search_finds_the_first_whose_name_or_company_begins_so(
    shared_crm: Crm, text: str, limit: int
) -> None:
    expected = []
    for key, name, company in shared_crm.rows("SELECT id, name, company FROM customers"):
        keys = [fold(word) for word in (name, company) if word]
        expected += sorted((k, key) for k in keys if k.startswith(fold(text)))[:1]

    items = found(shared_crm.of("manager"), text, limit=limit)

    assert [item["id"] for item in items] == [key for _, key in sorted(expected)[:limit]]
    assert set(items[0]) == {"id", "name", "company", "email", "city", "status"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ångström Öl", "åNGSTRÖM"),
        ("Ångström", "Å"),  # the sign of the unit is the same letter
        ("ﬁne Ltd", "FINE"),
        ("Straße", "STRASSE"),
        ("王小明", "王小"),
        ("100% _sure_ \\ *", "100% _"),
        ("O'Brien; DROP", "o'brien; d"),
        ("عمر", "عم"),
        ("👍 Inc", "👍"),
        ("two  spaces", "TWO SPACES"),
    ],
)
def test_a_name_is_found_whatever_its_case_form_or_script(
    shared_crm: Crm, name: str, text: str
) -> None:
    key = add(shared_crm, name)

    assert key in {item["id"] for item in found(shared_crm.of("admin"), text, limit=50)}


@pytest.mark.parametrize("text", ["%", "_", "*", "\\", "zzzz", "no@body", "@"])
def test_nothing_is_a_wildcard(shared_crm: Crm, text: str) -> None:
    assert found(shared_crm.of("admin"), text) == []


def test_who_is_found_by_name_and_by_company_comes_once(crm: Crm) -> None:
    keys = [add(crm, "Qqa", "Qqz"), add(crm, "Qqm", "Qqb"), add(crm, "Xxx", "Qqc")]

    assert [item["id"] for item in found(crm.of("admin"), "qq")] == keys
    assert [item["id"] for item in found(crm.of("admin"), "qq", limit=2)] == keys[:2]


def test_an_address_finds_its_customer_whatever_its_case(shared_crm: Crm) -> None:
    email = shared_crm.one("SELECT email FROM customers WHERE id = :c", c=shared_crm.customer)

    assert [item["id"] for item in found(shared_crm.of("admin"), email.upper())] == [
        shared_crm.customer
    ]
    assert [item["id"] for item in found(shared_crm.of(shared_crm.owner), email)] == [
        shared_crm.customer
    ]
    assert found(shared_crm.of(shared_crm.other_rep), email) == []
    assert found(shared_crm.of("admin"), email[:-1]) == []


def test_a_rep_finds_the_own_customers_alone(crm: Crm) -> None:
    add(crm, "Qqa", "Qqz", crm.other_rep)
    mine = [add(crm, "Qqb", None, crm.owner), add(crm, "Xxx", "Qqc", crm.owner)]
    rep = crm.of(crm.owner)

    assert [item["id"] for item in found(rep, "qq")] == mine
    suggested = rep.get("/api/v1/suggest?q=qq").get_json()["items"]
    assert suggested == [{"id": mine[0], "name": "Qqb"}]


def test_a_name_is_completed_with_the_first_ten_in_order(shared_crm: Crm) -> None:
    rows = shared_crm.rows("SELECT id, name FROM customers")
    expected = sorted((fold(name), key, name) for key, name in rows if fold(name)[0] == "j")

    items = shared_crm.of("manager").get("/api/v1/suggest?q=J").get_json()["items"]

    assert len(expected) > 10
    assert items == [{"id": key, "name": name} for _, key, name in expected[:10]]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=" + "x" * 101, "q"),
        ("q=a%00", "q"),
        ("q=a&q=b", "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=51", "limit"),
        ("q=a&after=x", "after"),
    ],
)
def test_a_search_is_bounded(shared_crm: Crm, query: str, path: str) -> None:
    answer = shared_crm.of("admin").get(f"/api/v1/search?{query}")

    assert answer.status_code == 422
    assert [error["path"] for error in answer.get_json()["errors"]] == [path]
    if path == "q":
        assert shared_crm.of("admin").get(f"/api/v1/suggest?{query}").status_code == 422


@pytest.mark.parametrize("who", ["manager", "sales"])
@pytest.mark.parametrize("path", ["search?q=a", "search?q=a@b.c", "suggest?q=a"])
def test_a_search_reads_ranges_of_indexes_and_sorts_nothing(
    shared_crm: Crm, who: str, path: str
) -> None:
    client = shared_crm.of(who)
    client.get(f"/api/v1/{path}")  # from now on the account is known
    statements: list[tuple[str, Any]] = []
    with shared_crm.app.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def remember(*event: Any) -> None:
            statements.append(event[2:4])

        client.get(f"/api/v1/{path}")
    ((sql, parameters),) = statements
    plan = shared_crm.plan(sql, parameters)

    assert "USING INDEX" in plan
    assert "SCAN customers" not in plan
    assert "TEMP B-TREE" not in plan
    if "@" not in path:
        index = "customers_owner_name (owner_id=? AND" if who == "sales" else "customers_name ("
        assert f"{index}{'' if who == 'manager' else ' '}name_key>? AND name_key<?)" in plan
