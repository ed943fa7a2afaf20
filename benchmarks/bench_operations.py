"""What the CRM's operations cost: beside a bare Flask view, and over the volume of the data.

The application is called in this process as the server would call it (WSGI), so that nothing but
the application and its database is measured. Prints medians of interleaved rounds:

1. CPU of opening a customer and listing 50 through the full stack, and of a bare Flask view that
   makes the same query.
2. Each operation over a small and a large dataset, and the ratio: with the defaults, then the
   reports, then what each published defect does to the operations that it concerns.

By default 10,000 and 100,000 customers on SQLite; ``--large 1000000`` and ``--database postgres``
are for those with minutes to spare. Datasets are made once and kept in the cache.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from sqlalchemy import select, text

from target_app import Config, create_app, customers, preparing, seeding
from target_app.models import db
from target_app.options import Options
from target_app.postgres import Cluster
from target_app.sessions import COOKIE

ROUNDS = 11
CALLS = 30
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


Draw = Callable[[random.Random, Crm], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request to measure; `path` and `body` draw which records it is about."""

    name: str
    path: Draw
    role: str = "manager"
    method: str = "GET"
    body: Draw | None = None
    calls: int = CALLS


def any_of(table: str) -> Draw:
    return lambda rng, crm: rng.randint(1, crm.rows[table])


def at(template: str, **draws: Draw) -> Draw:
    return lambda rng, crm: template.format(**{n: draw(rng, crm) for n, draw in draws.items()})


def own(rng: random.Random, crm: Crm) -> int:
    return rng.choice(crm.own)


def cursor(table: str) -> Draw:
    return lambda _, crm: crm.cursors[table]


def prefix(length: int) -> Draw:
    return lambda rng, crm: rng.choice(crm.names)[:length].strip()


def unique(rng: random.Random, _: Crm) -> str:
    return f"bench-{rng.getrandbits(60):x}"


DEFAULTS = (
    Operation(name="list customers", path=at("/api/v1/customers")),
    Operation(
        name="list customers, a page in the middle",
        path=at("/api/v1/customers?after={after}", after=cursor("customers")),
    ),
    Operation(
        name=f"list own customers ({OWN})", path=at(f"/api/v1/customers?limit={OWN}"), role="sales"
    ),
    Operation(
        name=f"list own leads ({FEW_OWN})",
        path=at(f"/api/v1/customers?limit={FEW_OWN}&status=lead"),
        role="sales",
    ),
    Operation(name="list active customers", path=at("/api/v1/customers?status=active")),
    Operation(name="open a customer", path=at("/api/v1/customers/{id}", id=any_of("customers"))),
    Operation(
        name="timeline of a customer",
        path=at("/api/v1/customers/{id}/timeline", id=any_of("customers")),
    ),
    Operation(
        name="orders of a customer",
        path=at("/api/v1/customers/{id}/orders", id=any_of("customers")),
    ),
    Operation(name="search", path=at("/api/v1/search?q={q}", q=prefix(6))),
    Operation(name="search, own", path=at("/api/v1/search?q={q}", q=prefix(3)), role="sales"),
    Operation(name="suggest", path=at("/api/v1/suggest?q={q}", q=prefix(3))),
    Operation(name="list orders", path=at("/api/v1/orders")),
    Operation(name="list paid orders", path=at("/api/v1/orders?status=paid")),
    Operation(
        name=f"list own orders ({OWN})", path=at(f"/api/v1/orders?limit={OWN}"), role="sales"
    ),
    Operation(
        name=f"list own paid orders ({FEW_OWN})",
        path=at(f"/api/v1/orders?limit={FEW_OWN}&status=paid"),
        role="sales",
    ),
    Operation(name="open an order", path=at("/api/v1/orders/{id}", id=any_of("orders"))),
    Operation(name="list products", path=at("/api/v1/products")),
    Operation(name="list feedback", path=at("/api/v1/feedback")),
    Operation(
        name=f"list own feedback ({FEW_OWN})",
        path=at(f"/api/v1/feedback?limit={FEW_OWN}"),
        role="sales",
    ),
    Operation(
        name=f"list own new feedback ({FEW_OWN})",
        path=at(f"/api/v1/feedback?limit={FEW_OWN}&status=new"),
        role="sales",
    ),
    Operation(name="queue of new feedback", path=at("/api/v1/feedback?status=new")),
    Operation(name="open feedback", path=at("/api/v1/feedback/{id}", id=any_of("feedback"))),
    Operation(
        name="create a customer",
        path=at("/api/v1/customers"),
        method="POST",
        body=lambda rng, crm: {"name": "Bench", "email": f"{unique(rng, crm)}@example.com"},
    ),
    Operation(
        name="log an activity",
        path=at("/api/v1/customers/{id}/activities", id=own),
        role="sales",
        method="POST",
        body=lambda *_: {"kind": "call", "subject": "Bench", "body": "Called back."},
    ),
    Operation(
        name="create an order",
        path=at("/api/v1/orders"),
        role="sales",
        method="POST",
        body=lambda rng, crm: {
            "customer_id": own(rng, crm),
            "items": [{"product_id": any_of("products")(rng, crm), "qty": 2} for _ in range(3)],
        },
    ),
    Operation(
        name="give feedback",
        path=at("/api/v1/feedback"),
        method="POST",
        body=lambda rng, crm: {
            "content": "All as promised.",
            "name": "Bench",
            "email": "bench@example.com",
            "customer_id": any_of("customers")(rng, crm),
            "score": 5,
        },
    ),
    Operation(name="feedback page", path=at("/feedback")),
    Operation(name="overview page of a sales rep", path=at("/"), role="sales"),
)
REPORTS = tuple(
    Operation(name=f"report: {name}", path=at(f"/api/v1/reports/{path}"), calls=1)
    for name, path in {
        "sales by month": "sales?group=month",
        "RFM": "rfm",
        "satisfaction": "satisfaction",
        "retention": "retention",
    }.items()
)
BY_NAME = {operation.name: operation for operation in DEFAULTS}
DEFECTS: Mapping[str, tuple[str, ...]] = {
    "drop_index=customers_name": ("suggest", "search"),
    "drop_index=activities_customer": ("timeline of a customer",),
    "drop_index=orders_customer": ("orders of a customer",),
    "drop_index=customers_portfolio": (f"list own customers ({OWN})",),
    "drop_index=customers_created": ("list customers",),
    "paging=offset": ("list customers, a page in the middle",),
    "n_plus_one=true": ("list customers", "list orders"),
    "list_mode=unbounded": ("list feedback",),
    "cache=ttl": ("list customers", "suggest"),
}
FEW = {"list_mode=unbounded": 1, "drop_index=activities_customer": 2}


def call(crm: Crm, operation: Operation, rng: random.Random) -> tuple[float, float]:
    """Send one request; seconds of wall clock, and of this process's CPU.

    Raises
    ------
    RuntimeError
        When it does not succeed: what an error costs is not the question.
    """
    body = json.dumps(operation.body(rng, crm)).encode() if operation.body else b""
    path, _, query = operation.path(rng, crm).partition("?")
    environ = {
        "REQUEST_METHOD": operation.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query.replace(" ", "%20"),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        # The API looks at the one, the pages at the other.
        "HTTP_AUTHORIZATION": f"Bearer {crm.tokens[operation.role]}",
        "HTTP_COOKIE": crm.cookie if operation.role == "sales" else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer: list[str] = []

    def start(status: str, _: object, __: object = None) -> Callable[[bytes], None]:
        answer.append(status)
        return lambda _: None

    began, cpu = time.perf_counter(), time.process_time()
    parts = crm.app(environ, cast(Any, start))
    whole = b"".join(parts)
    took = time.perf_counter() - began, time.process_time() - cpu
    if hasattr(parts, "close"):
        parts.close()
    if not answer[-1].startswith("2"):
        raise RuntimeError(f"{operation.name}, {path}?{query}: {answer[-1]} {whole[:300]!r}")
    return took


def compared(
    crms: Sequence[Crm], operation: Operation, calls: int, rounds: int
) -> list[tuple[float, float]]:
    """Measure an operation in several applications, interleaved; medians of wall and CPU, in us."""
    seconds: list[list[tuple[float, float]]] = [[] for _ in crms]
    rng = random.Random(operation.name)
    for number in range(rounds + 1):
        for crm, measured in zip(crms, seconds, strict=True):
            taken = [call(crm, operation, rng) for _ in range(calls)]
            measured.extend(taken if number else ())  # the first round warms up
    return [
        (
            1e6 * statistics.median(wall for wall, _ in measured),
            1e6 * statistics.median(cpu for _, cpu in measured),
        )
        for measured in seconds
    ]


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
        assert rep is not None, "nobody owns enough for the pages that are measured"
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


def bare_app(crm: Crm) -> Flask:
    """Make the reference: a Flask view for each of the two queries, and nothing else."""
    bare = Flask("bare")
    with crm.app.app_context():
        bare.config["SQLALCHEMY_DATABASE_URI"] = db.engine.url
        bare.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 4}
    own_db = SQLAlchemy(bare)
    columns = list(customers.FIELDS.values())
    table = columns[0].table

    @bare.get("/api/v1/customers/<int:customer_id>")
    def _open(customer_id: int) -> Any:
        row = own_db.session.execute(select(*columns).where(table.c.id == customer_id)).one()
        return jsonify(dict(row._mapping))

    @bare.get("/api/v1/customers")
    def _list() -> Any:
        newest = select(*columns).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(50)
        return jsonify([dict(row._mapping) for row in own_db.session.execute(newest)])

    return bare


def stack_table(crm: Crm) -> Table:
    """Compare the full stack with a bare view."""
    bare = Crm(
        app=bare_app(crm),
        tokens=crm.tokens,
        cookie=crm.cookie,
        rows=crm.rows,
        own=crm.own,
        names=crm.names,
        cursors=crm.cursors,
    )
    table = Table(
        box=MARKDOWN, title="CPU per request: the full stack beside a bare Flask view, same query"
    )
    for head in ("operation", "bare, us", "full stack, us", "ratio", "at most"):
        table.add_column(head, justify="left" if head == "operation" else "right")
    for name, most in {"open a customer": 2.0, "list customers": 1.5}.items():
        (_, reference), (_, ours) = compared((bare, crm), BY_NAME[name], 5 * CALLS, ROUNDS)
        table.add_row(
            name, f"{reference:.0f}", f"{ours:.0f}", f"{ours / reference:.2f}", f"{most:g}"
        )
    _close_bare(bare.app)
    return table


def _close_bare(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def add_rows(
    table: Table, crms: Sequence[Crm], operations: Sequence[Operation], note: str, few: int | None
) -> None:
    for operation in operations:
        calls = few or operation.calls
        rounds = ROUNDS if calls > 1 else 2
        (small, _), (large, _) = compared(crms, operation, calls, rounds)
        table.add_row(
            operation.name, note, f"{small:,.0f}", f"{large:,.0f}", f"{large / small:.2f}"
        )


def growth_table(
    datasets: Sequence[seeding.Found], kind: str, folder: Path, defects: bool
) -> Table:
    """Measure every operation over both datasets: the defaults, the reports, the defects."""
    table = Table(
        box=MARKDOWN, title=f"Wall clock per request on {kind}, median, over the volume of data"
    )
    table.add_column("operation")
    table.add_column("option")
    for dataset in datasets:
        table.add_column(f"{dataset.manifest.recipe.customers:,} customers, us", justify="right")
    table.add_column("growth", justify="right")
    cases: list[tuple[str, Sequence[Operation]]] = [("", (*DEFAULTS, *REPORTS))]
    if defects:
        cases += [(o, [BY_NAME[n] for n in names]) for o, names in DEFECTS.items()]
    for option, operations in cases:
        with ExitStack() as stack:
            crms = [
                stack.enter_context(
                    opened(d, kind, Options.parse([option] if option else []), folder, bool(option))
                )
                for d in datasets
            ]
            add_rows(table, crms, operations, option, FEW.get(option))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--no-defects", action="store_true")
    asked = parser.parse_args()
    console = Console(width=140)
    datasets = []
    for count in (asked.small, asked.large):
        where = seeding.default_folder(count, 1, database=asked.database)
        console.print(f"{count:,} customers in {where.name}", style="dim")
        datasets.append(seeding.seed(where, customers=count, seed=1, database=asked.database))
    with tempfile.TemporaryDirectory(
        prefix="bench-operations-", dir=datasets[0].folder.parent
    ) as f:
        folder = Path(f)
        with opened(datasets[0], asked.database, Options(), folder) as crm:
            console.print(stack_table(crm))
        console.print(growth_table(datasets, asked.database, folder, defects=not asked.no_defects))


if __name__ == "__main__":
    main()
