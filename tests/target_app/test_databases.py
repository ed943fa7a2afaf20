"""What the tests call a fresh database of both kinds is one: the same rows, and a next key."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from target_app import Config, create_app
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.databases import Databases

pytestmark = pytest.mark.slow


def _rows(database: Path | str) -> dict[str, list[tuple[object, ...]]]:
    app = create_app(Config(database=database))
    with app.app_context():
        rows = {
            table.name: [tuple(row) for row in db.session.execute(select(table).order_by("id"))]
            for table in db.metadata.sorted_tables
        }
        db.session.remove()
        db.engine.dispose()
    return rows


def test_both_databases_hold_the_same_rows(databases: Databases) -> None:
    with databases.fresh("sqlite") as file, databases.fresh("postgres") as url:
        rows = _rows(file)
        assert rows == _rows(url)
    assert len(rows["customers"]) == 300


def test_a_new_row_follows_the_seeded_ones_and_the_next_copy_lacks_it(
    databases: Databases, accounts: Accounts
) -> None:
    for _ in range(2):
        with databases.fresh("postgres") as url:
            app = create_app(Config(database=url))
            client = accounts.client(app, "admin")
            answer = client.post("/api/v1/customers", json={"name": "N", "email": "n@n.example"})
            assert (answer.status_code, answer.get_json()["id"]) == (201, 301)
            with app.app_context():
                table = db.metadata.tables["customers"]
                counted = db.session.execute(select(func.count()).select_from(table)).scalar_one()
                assert counted == 301
                db.session.remove()
                db.engine.dispose()
