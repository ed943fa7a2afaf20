"""What belongs to a customer is in the portfolio that the customer is in, at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from target_app import Config, create_app
from target_app.models import db
from target_app.pages import figures
from tests.support.accounts import Accounts
from tests.support.crm import Crm

OWNERS = "SELECT DISTINCT owner_id FROM {} WHERE customer_id = :c"
FEEDBACK = {"content": "Fine.", "name": "Ada", "email": "ada@b.example"}
ITEMS = [{"product_id": 1, "qty": 2}]


def listed(crm: Crm, who: str | int, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = crm.of(who).get(f"/api/v1/{path}").get_json()["items"]
    return items


def of_customer(crm: Crm, who: int, customer: int) -> list[int]:
    return [
        len([i for i in listed(crm, who, f"{path}?limit=200") if i["customer_id"] == customer])
        for path in ("orders", "feedback")
    ]


def test_orders_and_feedback_change_hands_with_their_customer(crm: Crm) -> None:
    customer, old, new = crm.customer, crm.owner, crm.other_rep
    mine = of_customer(crm, old, customer)
    untouched = "SELECT id, owner_id, version, request_id FROM {} WHERE customer_id <> :c"
    before = [crm.rows(untouched.format(table), c=customer) for table in ("orders", "feedback")]

    crm.of("manager").patch(
        f"/api/v1/customers/{customer}",
        json={"owner_id": new},
        headers={"X-Request-Id": "hands"},
    )

    assert all(mine)
    assert of_customer(crm, old, customer) == [0, 0]
    assert of_customer(crm, new, customer) == mine
    assert crm.written("hands") == {"changes": 1}
    for table, rows in zip(("orders", "feedback"), before, strict=True):
        assert crm.rows(untouched.format(table), c=customer) == rows


def test_without_an_owner_they_are_in_nobodys_list(crm: Crm) -> None:
    customer, old = crm.customer, crm.owner

    crm.of("manager").patch(f"/api/v1/customers/{customer}", json={"owner_id": None})

    assert of_customer(crm, old, customer) == [0, 0]
    for table in ("orders", "feedback"):
        assert crm.rows(OWNERS.format(table), c=customer) == [(None,)]


def test_another_change_of_a_customer_moves_nothing(crm: Crm) -> None:
    statements: list[str] = []
    with crm.app.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def remember(*event: Any) -> None:
            statements.append(event[2])

    owner = {"owner_id": crm.owner}
    for body in ({"name": "Eve"}, owner, owner | {"name": "Ada"}):
        changed = crm.of("manager").patch(f"/api/v1/customers/{crm.customer}", json=body)
        assert changed.status_code == 200
    assert not [s for s in statements if s.startswith(("UPDATE orders", "UPDATE feedback"))]


@pytest.mark.parametrize("who", ["manager", "owner", "portal"])
def test_what_is_new_is_first_in_the_list_of_the_rep(crm: Crm, who: str) -> None:
    customer, owner = crm.customer, crm.owner
    client = crm.of({"owner": owner, "portal": crm.portal}.get(who, who))

    order = client.post("/api/v1/orders", json={"customer_id": customer, "items": ITEMS})
    told = client.post("/api/v1/feedback", json=FEEDBACK | {"customer_id": customer})

    for path, made in (("orders", order), ("feedback", told)):
        assert made.status_code == 201
        assert "owner_id" not in made.get_json()
        assert listed(crm, owner, f"{path}?limit=1")[0]["id"] == made.get_json()["id"]
        assert listed(crm, owner, f"{path}?limit=1&status=new")[0]["id"] == made.get_json()["id"]


def test_feedback_of_a_customer_that_is_removed_is_in_no_portfolio(crm: Crm) -> None:
    customer = crm.of("manager").post(
        "/api/v1/customers",
        json={"name": "Ada", "email": "ada@b.example", "owner_id": crm.owner},
    )
    told = crm.of("manager").post(
        "/api/v1/feedback", json=FEEDBACK | {"customer_id": customer.get_json()["id"]}
    )
    path = f"/api/v1/feedback/{told.get_json()['id']}"
    assert crm.of(crm.owner).get(path).status_code == 200

    assert crm.of("manager").delete(customer.location).status_code == 204

    assert crm.of(crm.owner).get(path).status_code == 404
    left = "SELECT customer_id, owner_id FROM feedback WHERE id = :f"
    assert crm.rows(left, f=told.get_json()["id"]) == [(None, None)]


OF_A_STATUS = {
    "customers?status=active": "customers USING INDEX customers_status (status=?)",
    "orders?status=paid": "orders USING INDEX orders_status (status=?)",
    "feedback?status=new": "feedback USING INDEX feedback_status (status=?)",
}
INDEXES = {
    "orders": "orders USING INDEX orders_owner (owner_id=?)",
    "orders?status=paid": "orders USING INDEX orders_owner (owner_id=?)",
    "feedback": "feedback USING INDEX feedback_owner (owner_id=?)",
    "feedback?status=answered": "feedback USING INDEX feedback_owner (owner_id=?)",
    "customers": "customers USING INDEX customers_portfolio (owner_id=?)",
    "customers?status=lead": "customers USING INDEX customers_owner (owner_id=? AND status=?)",
}


@pytest.mark.parametrize(("path", "index"), INDEXES.items(), ids=list(INDEXES))
def test_a_list_of_a_rep_begins_where_an_index_does(shared_crm: Crm, path: str, index: str) -> None:
    first, _, filters = path.partition("?")

    sql, parameters = statement(shared_crm, shared_crm.owner, f"{first}?limit=3&{filters}")
    plan = shared_crm.plan(sql, parameters)

    assert f"SEARCH {index}" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(("path", "index"), OF_A_STATUS.items(), ids=list(OF_A_STATUS))
def test_a_list_of_one_status_begins_where_an_index_does(
    shared_crm: Crm, path: str, index: str
) -> None:
    sql, parameters = statement(shared_crm, "manager", f"{path}&limit=3")
    plan = shared_crm.plan(sql, parameters)

    assert f"SEARCH {index}" in plan
    assert "TEMP B-TREE" not in plan


def most_owned(crm: Crm) -> int:
    """The rep of few customers who has two of everything that is listed."""
    return int(
        crm.rows(
            "SELECT owner_id FROM customers c WHERE status = 'lead' AND owner_id IS NOT NULL"
            " AND (SELECT count(*) FROM orders o WHERE o.owner_id = c.owner_id) > 1"
            " AND (SELECT count(*) FROM feedback f WHERE f.owner_id = c.owner_id) > 1"
            " GROUP BY owner_id HAVING count(*) > 1 ORDER BY owner_id"
        )[0][0]
    )


def give_the_rest_to(crm: Crm, owner: int, *, but: int) -> None:
    """Make one rep the owner of all customers that another does not own."""
    tables = {"orders": "customer_id", "feedback": "customer_id", "customers": "id"}
    with crm.app.app_context():
        for table, key in tables.items():
            kept = "SELECT id FROM customers WHERE owner_id = :but"
            db.session.execute(
                text(f"UPDATE {table} SET owner_id = :owner WHERE {key} NOT IN ({kept})"),
                {"owner": owner, "but": but},
            )
        db.session.commit()


@pytest.mark.parametrize(
    "path", ["orders", "feedback", "customers", "customers?status=lead", "leads"]
)
def test_a_page_costs_a_rep_of_everybody_what_it_costs_a_rep_of_few(crm: Crm, path: str) -> None:
    few, many = most_owned(crm), crm.other_rep
    assert few != many
    give_the_rest_to(crm, many, but=few)
    first, _, filters = path.partition("?")

    def steps(owner: int) -> int:
        if path == "leads":
            with crm.app.app_context():
                ((sql, parameters),) = remembered(lambda: figures.oldest_leads(owner, 2))
        else:
            sql, parameters = statement(crm, owner, f"{first}?limit=1&{filters}")
        return steps_of(crm, sql, parameters)

    owned = "SELECT count(*) FROM customers WHERE owner_id = :o"
    assert crm.one(owned, o=many) > 20 * crm.one(owned, o=few)
    assert steps(many) < 1.5 * steps(few)


def statement(crm: Crm, who: str | int, path: str) -> tuple[str, Any]:
    """The statement that reads a list."""
    client = crm.of(who)
    with crm.app.app_context():
        found = remembered(lambda: client.get(f"/api/v1/{path}"))
    ((sql, parameters),) = [each for each in found if "LIMIT" in each[0]]
    return sql, parameters


def remembered(function: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that a function runs."""
    statements: list[tuple[str, Any]] = []

    def remember(*event: Any) -> None:
        statements.append(event[2:4])

    event.listen(db.engine, "before_cursor_execute", remember)
    function()
    event.remove(db.engine, "before_cursor_execute", remember)
    return statements


def steps_of(crm: Crm, sql: str, parameters: Any) -> int:
    """How many steps SQLite takes: no clock, so the same each time."""
    steps = count()
    with crm.app.app_context():
        connection: Any = db.session.connection().connection.dbapi_connection
        connection.set_progress_handler(lambda: next(steps) and None, 1)
        rows = connection.execute(sql, parameters).fetchall()
        connection.set_progress_handler(None, 1)
    assert len(rows) == 2
    return next(steps)


@pytest.fixture(scope="module")
def both(each_database: Path | str, accounts: Accounts) -> Iterator[Crm]:
    app = create_app(Config(database=each_database))
    app.testing = True
    yield Crm(app, accounts)
    with app.app_context():
        db.engine.dispose()


@pytest.mark.costly
@pytest.mark.parametrize("resource", ["orders", "feedback"])
def test_what_is_written_while_a_customer_changes_hands_goes_along(
    both: Crm, resource: str
) -> None:
    customer, new = both.customer, both.other_rep
    body = {"customer_id": customer} | ({"items": ITEMS} if resource == "orders" else FEEDBACK)
    answers: list[int] = []

    def write() -> None:
        answers.append(both.of("manager").post(f"/api/v1/{resource}", json=body).status_code)

    writer = threading.Thread(target=write)
    with both.app.app_context():
        url = db.engine.url
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(
            text("UPDATE customers SET owner_id = :n WHERE id = :c"), {"n": new, "c": customer}
        )
        for table in ("orders", "feedback"):
            connection.execute(
                text(f"UPDATE {table} SET owner_id = :n WHERE customer_id = :c"),
                {"n": new, "c": customer},
            )
        writer.start()
        writer.join(0.3)
        assert writer.is_alive()  # it waits for the owner
        connection.commit()
    engine.dispose()
    writer.join(10)

    assert answers == [201]
    assert both.rows(OWNERS.format(resource), c=customer) == [(new,)]
