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
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from flask import Flask, jsonify
from flask_sqlalchemy import SQLAlchemy
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from benchmarks.crm_opened import Crm, opened
from benchmarks.crm_requests import BY_NAME, DEFAULTS, DEFECTS, REPORTS, Operation
from target_app import customers, seeding
from target_app.models import db
from target_app.options import Options

CALLS = 30
ROUNDS = 11
ROUND_S = 0.05
"""About how long an operation is called in one application before it is the other's turn."""
FEW_ROUNDS = 3
GREAT = 10


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


def compared(crms: Sequence[Crm], operation: Operation) -> list[tuple[float, float]]:
    """Measure an operation in several applications, interleaved; medians of wall and CPU, in us."""
    rng = random.Random(operation.name)
    slowest = max(min(call(crm, operation, rng)[0] for _ in range(2)) for crm in crms)
    calls = max(1, min(CALLS, int(ROUND_S / slowest)))
    rounds = ROUNDS if calls > 1 else FEW_ROUNDS
    seconds: list[list[tuple[float, float]]] = [[] for _ in crms]
    for _ in range(rounds):
        for crm, measured in zip(crms, seconds, strict=True):
            measured += [call(crm, operation, rng) for _ in range(calls)]
    return [
        (
            1e6 * statistics.median(wall for wall, _ in measured),
            1e6 * statistics.median(cpu for _, cpu in measured),
        )
        for measured in seconds
    ]


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


def stack_table(crm: Crm) -> tuple[Table, bool]:
    """Compare the full stack with a bare view; whether it costs no more than it may."""
    met = True
    bare = replace(crm, app=bare_app(crm))
    table = Table(
        box=MARKDOWN, title="CPU per request: the full stack beside a bare Flask view, same query"
    )
    for head in ("operation", "bare, us", "full stack, us", "ratio", "at most"):
        table.add_column(head, justify="left" if head == "operation" else "right")
    for name, most in {"open a customer": 2.0, "list customers": 1.5}.items():
        (_, reference), (_, ours) = compared((bare, crm), BY_NAME[name])
        table.add_row(
            name, f"{reference:.0f}", f"{ours:.0f}", f"{ours / reference:.2f}", f"{most:g}"
        )
        met = met and ours / reference <= most
    _close_bare(bare.app)
    return table, met


def _close_bare(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def print_growth(datasets: Sequence[seeding.Found], kind: str, folder: Path, defects: bool) -> None:
    """Measure every operation over both datasets: the defaults, the reports, the defects."""
    sizes = [f"{d.manifest.recipe.customers:,} customers, us" for d in datasets]
    print(f"Wall clock per request on {kind}, median, over the volume of data\n")
    print("|", " | ".join(["operation", "option", *sizes, "growth"]), "|")
    print("|---|---|--:|--:|--:|")
    cases: list[tuple[str, Sequence[Operation]]] = [("", (*DEFAULTS, *REPORTS))]
    if defects:
        cases += [(o, [BY_NAME[n] for n in names]) for o, names in DEFECTS.items()]
    for option, operations in cases:
        options = Options.parse([option] if option else [])
        with ExitStack() as stack:
            crms = [
                stack.enter_context(opened(d, kind, options, folder, bool(option)))
                for d in datasets
            ]
            for operation in operations:
                (small, _), (large, _) = compared(crms, operation)
                words = [f"`{option}`" if option else "", f"{small:,.0f}", f"{large:,.0f}"]
                ratio = f"{large / small:.2f}" if large < GREAT * small else f"{large / small:.0f}"
                print("|", " | ".join([operation.name, *words, ratio]), "|", flush=True)


def main() -> int:
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
            table, met = stack_table(crm)
            console.print(table)
            console.print("met" if met else "NOT MET")
        print_growth(datasets, asked.database, folder, defects=not asked.no_defects)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
