"""What comes of a request that the database refuses, or does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from target_app import Config, create_app, database
from target_app.models import db
from target_app.options import Options
from tests.support.accounts import Accounts
from tests.support.databases import Databases
from tests.support.visitor import Visitor

_ORDER = (
    "INSERT INTO order_items (order_id, product_id, qty, unit_price_cents) "
    "VALUES ({order}, 1, 1, {cents})"
)
_CUSTOMER = (
    "INSERT INTO customers ({id} name, name_key, email, status, segment, version, created_at, "
    "updated_at) SELECT {value} {name}, name_key, {email}, status, segment, 1, created_at, "
    "updated_at FROM customers WHERE id = 1"
)
REFUSED = {
    "foreign key": (_ORDER.format(order=987_654, cents=1), 409),
    "unique": (_CUSTOMER.format(id="", value="", name="name", email="email"), 409),
    "primary key": (_CUSTOMER.format(id="id,", value="1,", name="name", email="'a@p.k'"), 409),
    "not null": (_CUSTOMER.format(id="", value="", name="NULL", email="'a@n.n'"), 500),
}


@pytest.fixture(scope="module")
def either(each_database: Path | str) -> Iterator[Flask]:
    """An application on each database in turn, which runs whatever statement it is sent."""
    app = create_app(Config(database=each_database, threads=1))

    @app.post("/run")
    def run() -> Response:
        database.change(text(request.get_data(as_text=True)))
        database.commit()
        return Response()

    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(("statement", "status"), REFUSED.values(), ids=REFUSED)
def test_only_what_another_request_can_be_the_reason_of_is_a_conflict(
    either: Flask, caplog: pytest.LogCaptureFixture, statement: str, status: int
) -> None:
    answer = either.test_client().post("/run", data=statement)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    (line,) = caplog.messages
    assert "constraint" in line


def test_what_users_sent_is_not_in_an_error(either: Flask) -> None:
    with either.app_context(), pytest.raises(IntegrityError) as raised:
        database.change(
            text(_CUSTOMER.format(id="", value="", name="NULL", email=":email")),
            email="secret@b.example",
        )
    told = str(raised.value).partition("DETAIL")[0] + str(raised.value).partition("[SQL")[2]

    assert "secret" not in told


def test_a_page_that_says_that_the_database_is_busy_waits_for_no_second_connection(
    make_app: Callable[..., Flask], accounts: Accounts
) -> None:
    app = make_app(options=Options(pool_size=1))

    @app.get("/busy")
    def busy() -> Response:
        database.rows(text("SELECT 1"))
        raise OperationalError("SELECT", {}, Exception("locked"))

    visitor = Visitor(app, accounts.of_role("manager")[0])
    with app.app_context():
        pool: Any = db.engine.pool
    before = pool.waits
    answer = visitor.get("/busy")

    assert answer.status_code == 503
    assert pool.waits == before


@pytest.mark.slow
def test_when_the_connection_breaks_at_the_commit_nobody_says_try_again(
    databases: Databases,
) -> None:
    with databases.fresh("postgres") as url:
        app = create_app(Config(database=url, threads=2))

        @app.post("/write")
        def write() -> Response:
            database.change(text("UPDATE products SET name = 'x' WHERE id = 1"))
            ((own,),) = database.rows(text("SELECT pg_backend_pid()"))
            with database.aside() as other:
                other.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
            database.commit()
            return Response()

        answer = app.test_client().post("/write")
        page = app.test_client().post("/write", headers={"Accept": "text/html"})
        after = app.test_client().get("/readyz")
        with app.app_context():
            db.engine.dispose()

    assert answer.status_code == 503
    assert "Retry-After" not in answer.headers
    assert "Whether it was is not known" in answer.get_json()["detail"]
    assert "Whether it was is not known" in page.text
    assert "Nothing of what you sent" not in page.text
    assert after.status_code == 200
