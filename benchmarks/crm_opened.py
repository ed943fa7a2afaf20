"""The CRM within this process, over a working copy of a dataset: for `bench_operations`."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from target_app import Config, create_app, preparing, seeding
from target_app.models import db
from target_app.options import Options
from target_app.postgres import Cluster
from target_app.sessions import COOKIE

OWN = 20
FEW_OWN = 2
"""Items of a page of which a small portfolio has as many as a large one."""
REP = """
    SELECT owner_id FROM customers
    WHERE owner_id IN (SELECT id FROM users WHERE role = 'sales' AND is_active)
    GROUP BY owner_id HAVING count(*) >= :own
    AND (SELECT count(*) FROM orders o WHERE o.owner_id = customers.owner_id) >= :own
    AND (SELECT count(*) FROM orders o WHERE o.owner_id = customers.owner_id
         AND o.status = 'paid') >= :few
    AND (SELECT count(*) FROM feedback f WHERE f.owner_id = customers.owner_id
         AND f.status = 'new') >= :few
    ORDER BY sum(CASE status WHEN 'lead' THEN 1 ELSE 0 END) DESC, owner_id LIMIT 1
"""
"""Of those who fill the pages that are measured, the one with the most leads: so what is shown is
as long whatever the volume."""


@dataclass(slots=True, kw_only=True)
class Crm:
    """An application over a working copy of a dataset, and what there is to ask it for."""

    app: Flask
    tokens: Mapping[str, str]
    cookie: str
    """Of the session of the sales rep whose token is used."""
    rows: Mapping[str, int]
    own: Sequence[int]
    """Customers of the sales rep whose token is used."""
    names: Sequence[str]
    cursors: Mapping[str, str]
    """Into the middle of lists."""


@contextmanager
def opened(
    dataset: seeding.Found, kind: str, options: Options, folder: Path, read_only: bool = False
) -> Iterator[Crm]:
    """Serve a working copy within this process."""
    with ExitStack() as stack:
        place = folder / f"{dataset.folder.name}.{kind}"
        if not (read_only and place.exists()):
            seeding.reset(dataset.folder, str(place))
        database: Path | str = place
        if kind == "postgres":
            running = stack.enter_context(Cluster(place).start())
            database = running.url().render_as_string(hide_password=False)
        config = Config(database=database, options=options)
        preparing.prepare(config, is_dataset=False)
        app = create_app(config)
        stack.callback(_close, app)
        yield _crm(app, dataset, options)


def _crm(app: Flask, dataset: seeding.Found, options: Options) -> Crm:
    lines = dataset.accounts.read_text(encoding="utf-8").splitlines()[1:]
    accounts = [a for a in map(json.loads, lines) if not a.get("note")]
    tokens = {a["role"]: a["token"] for a in reversed(accounts)}
    rows = dataset.manifest.rows
    middle = rows["customers"] // 2
    with app.app_context():
        rep = db.session.execute(text(REP), {"few": FEW_OWN, "own": OWN}).scalars().first()
        if rep is None:
            sys.exit("no sales rep owns enough for the pages that are measured: from 10,000 on")
        found = db.session.execute(
            text("SELECT id FROM customers WHERE owner_id = :rep"), {"rep": rep}
        ).all()
        sampled = db.session.execute(
            text("SELECT name_key, created_at FROM customers WHERE id IN (:a, :b, :c, :d, :e)"),
            dict(zip("abcde", (middle, 1, 7, 77, rows["customers"]), strict=True)),
        ).all()
        created = db.session.execute(
            text("SELECT created_at FROM customers WHERE id = :id"), {"id": middle}
        ).scalar_one()
    tokens["sales"] = next(a["token"] for a in accounts if a["id"] == rep)
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["user_id"] = rep
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    after = [middle] if options.paging == "offset" else [created, middle]
    return Crm(
        app=app,
        tokens=tokens,
        cookie=f"{COOKIE}={cookie.value}",
        rows=rows,
        own=[row.id for row in found],
        names=[row.name_key for row in sampled],
        cursors={"customers": base64.urlsafe_b64encode(json.dumps(after).encode()).decode()},
    )


def _close(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
