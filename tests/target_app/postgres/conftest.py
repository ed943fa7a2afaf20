from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from target_app.postgres import Cluster, copy_cluster
from tests.target_app.postgres import leftovers

Connect = Callable[..., psycopg.Connection[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster for all tests, which none of them starts."""
    return Cluster.create(tmp_path_factory.mktemp("postgres") / "base")


@pytest.fixture
def cluster(base: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster for one test, of which nothing may be left running."""
    made = copy_cluster(base.folder, tmp_path / "cluster")
    yield made
    assert leftovers.gone_within(10, made.folder)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to a database of a server whose socket is in a folder."""
    opened = []

    def connect(folder: Path, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(
            host=str(folder), port=5432, user="crm", dbname=database, autocommit=True
        )
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        connection.close()
