"""Preparing a database that somebody else uses, or prepares."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from target_app import Config, engines
from target_app.errors import DatasetError
from target_app.options import Options
from target_app.preparing import prepare
from tests.support.databases import KINDS, Databases
from tests.target_app.conftest import SLOW

OTHER = Options(drop_index=("orders_placed",), password_cost=7)


@pytest.fixture(params=[pytest.param(kind, marks=SLOW[kind]) for kind in KINDS])
def working(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Path | str]:
    """A fresh copy of the dataset, on each database in turn."""
    with databases.fresh(request.param) as database:
        yield database


@pytest.mark.costly
def test_two_that_prepare_one_database_at_once_do_it_after_another(
    working: Path | str, together: Callable[..., None]
) -> None:
    config = Config(database=working, options=OTHER)
    for wanted in (config, Config(database=working)):
        together(*[lambda wanted=wanted: prepare(wanted, is_dataset=False)] * 3)
        with engines.alone(wanted) as connection:
            names = {index["name"] for index in inspect(connection).get_indexes("orders")}
        assert ("orders_placed" in names) == (wanted is not config)


@pytest.mark.costly
def test_who_holds_the_database_is_not_waited_for_without_end(working: Path | str) -> None:
    config = Config(database=working, options=OTHER, busy_timeout_ms=300)
    with engines.alone(Config(database=working)) as other:
        other.execute(text("UPDATE orders SET version = version"))
        began = time.monotonic()
        with pytest.raises(DatasetError, match=r"locked|lock timeout"):
            prepare(config, is_dataset=False)

    assert time.monotonic() - began < 10
