"""Asking the CRM as one of its accounts, and looking at what that left in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from target_app.models import Base, db
from tests.support.accounts import Accounts, bearer

WRITTEN = tuple(
    table.name
    for table in Base.metadata.sorted_tables
    if any(index.name == f"{table.name}_request" for index in table.indexes)
)
"""The tables whose rows tell which request has written them: they have an index for that."""


@dataclass(frozen=True, slots=True)
class Crm:
    """An application with a dataset; its figures are those of a customer that has everything."""

    app: Flask
    accounts: Accounts

    def of(self, who: str | int) -> FlaskClient:
        """A client of the first account of a role, or of the account with an id."""
        if isinstance(who, str):
            return self.accounts.client(self.app, who)
        client = self.app.test_client()
        account = next(a for a in self.accounts.all if a["id"] == who)
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(account)
        return client

    def rows(self, sql: str, **parameters: object) -> Sequence[tuple[Any, ...]]:
        with self.app.app_context():
            return [tuple(row) for row in db.session.execute(text(sql), parameters)]

    def one(self, sql: str, **parameters: object) -> Any:
        ((value,),) = self.rows(sql, **parameters)
        return value

    def written(self, request_id: str) -> dict[str, int]:
        """How many rows of each table tell of a request."""
        counts = {
            table: self.one(f"SELECT count(*) FROM {table} WHERE request_id = :r", r=request_id)
            for table in WRITTEN
        }
        return {table: count for table, count in counts.items() if count}

    def plan(self, sql: str, parameters: Any) -> str:
        """How SQLite would run a statement."""
        with self.app.app_context():
            found = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            return "; ".join(row.detail for row in found)

    @property
    def customer(self) -> int:
        """A customer in a portfolio, with a portal account, orders and feedback."""
        return int(
            self.rows(
                "SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id "
                "JOIN feedback f ON f.customer_id = c.id JOIN users u ON u.customer_id = c.id "
                "WHERE c.owner_id IS NOT NULL ORDER BY c.id"
            )[0][0]
        )

    @property
    def owner(self) -> int:
        return int(self.one("SELECT owner_id FROM customers WHERE id = :c", c=self.customer))

    @property
    def portal(self) -> int:
        return int(self.rows("SELECT id FROM users WHERE customer_id = :c", c=self.customer)[0][0])

    @property
    def other_rep(self) -> int:
        """A rep with a portfolio that the customer is not in."""
        sql = "SELECT min(owner_id) FROM customers WHERE owner_id <> :o"
        return int(self.one(sql, o=self.owner))

    @property
    def other_portal(self) -> int:
        sql = "SELECT min(id) FROM users WHERE role = 'portal' AND customer_id <> :c"
        return int(self.one(sql, c=self.customer))

    @property
    def order(self) -> int:
        return int(self.one("SELECT max(id) FROM orders WHERE customer_id = :c", c=self.customer))

    @property
    def feedback(self) -> int:
        return int(self.one("SELECT max(id) FROM feedback WHERE customer_id = :c", c=self.customer))

    def fill(self, path: str) -> str:
        """Put ids into a path: of what may be changed, whoever's it is."""
        return path.format(
            customer=self.customer,
            bare=self.one(
                "SELECT min(id) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders)"
            ),
            order=self.one("SELECT min(id) FROM orders WHERE status = 'new'"),
            feedback=self.one("SELECT min(id) FROM feedback WHERE status = 'new'"),
        )
