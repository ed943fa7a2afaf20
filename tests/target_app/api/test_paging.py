import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from target_app.models import db


def walk(client: FlaskClient, path: str, limit: int) -> list[int]:
    """Follow `next` to the end."""
    ids: list[int] = []
    cursor = None
    while True:
        query = {"limit": limit} | ({"after": cursor} if cursor else {})
        answer = client.get(path, query_string=query)
        body = answer.get_json()
        ids += [item["id"] for item in body["items"]]
        cursor = body["next"]
        if cursor is None:
            assert "Link" not in answer.headers
            return ids


def count(app: Flask, table: str, where: str = "1") -> int:
    with app.app_context():
        found: int = db.session.execute(
            text(f"SELECT count(*) FROM {table} WHERE {where}")
        ).scalar_one()
    return found


@pytest.mark.parametrize("limit", [11, 200])
@pytest.mark.parametrize("resource", ["customers", "orders", "feedback", "products"])
def test_pages_walk_every_row_exactly_once(
    shared_client: FlaskClient, resource: str, limit: int
) -> None:
    ids = walk(shared_client, f"/api/v1/{resource}", limit)

    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == count(shared_client.application, resource)


def test_pages_walk_rows_of_the_same_moment_exactly_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE feedback SET created_at = '2025-06-01T00:00:00.000000Z'"))
        db.session.commit()

    ids = walk(client, "/api/v1/feedback", 7)

    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == count(app, "feedback")


def test_rows_added_on_the_way_move_nothing(client: FlaskClient) -> None:
    before = walk(client, "/api/v1/feedback", 200)
    body = {"content": "Fine", "name": "Ada", "email": "a@b.c"}

    ids: list[int] = []
    path = "/api/v1/feedback?limit=9"
    while path:
        page = client.get(path).get_json()
        ids += [item["id"] for item in page["items"]]
        client.post("/api/v1/feedback", json=body)
        path = page["next"] and f"/api/v1/feedback?limit=9&after={page['next']}"

    assert ids == before


def test_the_link_leads_where_next_does(client: FlaskClient) -> None:
    answer = client.get("/api/v1/customers?limit=3")
    path = answer.headers["Link"].removeprefix("<").partition(">")[0]

    assert path == f"/api/v1/customers?limit=3&after={answer.get_json()['next']}"
    assert client.get(path).status_code == 200


def test_the_orders_of_a_customer_are_his_alone(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        customer = db.session.execute(
            text("SELECT customer_id FROM orders GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
        ).scalar_one()

    ids = walk(client, f"/api/v1/customers/{customer}/orders", 3)

    assert len(ids) == count(app, "orders", f"customer_id = {customer}") > 3
    assert client.get("/api/v1/customers/1000000/orders").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "customers",
        "orders",
        "orders?status=new",
        "feedback",
        "feedback?status=new",
        "products",
        "customers/3/orders",
        "customers/3/timeline",
    ],
)
def test_no_page_scans_or_sorts_a_table(shared_client: FlaskClient, path: str) -> None:
    statements: list[tuple[str, tuple[object, ...]]] = []
    with shared_client.application.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def remember(*event: object) -> None:
            statements.append(event[2:4])  # type: ignore[arg-type]

        first, _, filters = path.partition("?")
        query = f"/api/v1/{first}?limit=1&{filters}"
        cursor = shared_client.get(query).get_json()["next"]
        if cursor:
            shared_client.get(f"{query}&after={cursor}")
        lists = [statement for statement in statements if "LIMIT" in statement[0]]
        assert lists
        for sql, parameters in lists:
            plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            steps = " ".join(row.detail for row in plan)
            assert "TEMP B-TREE" not in steps
            assert "USING INDEX" in steps or "INTEGER PRIMARY KEY" in steps or path == "products"
