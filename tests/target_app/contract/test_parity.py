"""Both databases answer the same: status, body and headers, whatever is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from difflib import unified_diff
from typing import Any

import pytest

from target_app import RESOURCES, Config, create_app, seeding
from target_app import database as moments
from target_app.api import PREFIX, operations
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.databases import KINDS, Databases
from tests.support.parity import Side
from tests.target_app.contract import parity_reads, parity_writes
from tests.target_app.contract.figures import people, somebody_with_everything

pytestmark = pytest.mark.slow

# What is read is read before anything is written, and again when all is.
ASKS = [*parity_reads.asks(), *parity_writes.asks(), *parity_reads.asks()]


@pytest.fixture(scope="module")
def ids(dataset: seeding.Found) -> dict[str, int]:
    return somebody_with_everything(dataset.database)


@pytest.fixture(scope="module")
def sides(databases: Databases, accounts: Accounts, ids: dict[str, int]) -> Iterator[list[Side]]:
    began = moments.now()
    with ExitStack() as stack:
        apps = []
        for kind in KINDS:
            database = stack.enter_context(databases.fresh(kind))
            app = create_app(Config(database=database, secret_key="parity"))
            app.testing = True  # an exception of ours comes out here instead of becoming a 500
            apps.append(app)
        yield [Side(app, people(accounts, ids), ids, began) for app in apps]
        for app in apps:
            with app.app_context():
                db.engine.dispose()


def test_both_databases_answer_the_same(sides: list[Side]) -> None:
    one, other = sides
    differences = []
    for number, ask in enumerate(ASKS):
        expected, found = one.answer(ask, number), other.answer(ask, number)
        if expected != found:
            differences.append(f"{ask.who}: {ask.method} {ask.path:.60} ({ask.name})")
            differences += unified_diff(_lines(expected), _lines(found), *KINDS, lineterm="", n=0)
    assert not differences, "\n".join(differences[:200])


def _lines(answers: list[dict[str, Any]]) -> list[str]:
    return json.dumps(answers, indent=1, ensure_ascii=False).splitlines()


def test_the_table_is_large_and_leaves_no_operation_out(ids: dict[str, int]) -> None:
    assert len(set(map(str, ASKS))) >= 200
    app = create_app(Config(database="postgresql://nobody@nowhere/none"))
    addresses = app.url_map.bind("localhost")
    known = dict.fromkeys(("ada", "bought", "told", "last", "after"), 1) | ids
    asked = set()
    for ask in ASKS:
        path = ask.path.format_map(known).partition("?")[0]
        if addresses.test(path, ask.method):
            asked.add(addresses.match(path, ask.method)[0].rpartition(".")[2])
    missing = {operation.name for operation in operations(RESOURCES)} - asked
    assert not missing
    assert {"show_form", "send_form"} <= asked
    assert PREFIX == "/api/v1"  # which the table writes out
