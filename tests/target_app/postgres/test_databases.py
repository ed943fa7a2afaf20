"""Databases are made, copied and removed on any server."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import URL

from target_app.errors import DatasetError
from target_app.postgres import (
    Cluster,
    Running,
    copy_cluster,
    create_from_template,
    drop_database,
    ensure_database,
    require_reachable,
)
from tests.target_app.postgres.conftest import Connect

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(base: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with copy_cluster(base.folder, tmp_path_factory.mktemp("databases") / "c").start() as running:
        yield running


@pytest.fixture
def server(running: Running) -> URL:
    """A URL as somebody would give it, of a database that need not exist."""
    return running.url("crm")


def test_a_database_is_made_once(server: URL) -> None:
    assert ensure_database(server, "once") is True
    assert ensure_database(server, "once") is False
    require_reachable(server.set(database="once"))


def test_a_name_is_taken_as_it_is(server: URL) -> None:
    name = 'Ünïcode "quoted"; DROP DATABASE x'
    ensure_database(server, name)
    require_reachable(server.set(database=name))
    drop_database(server, name)
    with pytest.raises(DatasetError, match="does not exist"):
        require_reachable(server.set(database=name))
    drop_database(server, name)  # does nothing


@pytest.mark.parametrize("name", ["", "n" * 64, "ü" * 32, "a\0b"])
def test_a_name_that_would_be_cut_is_refused(server: URL, name: str) -> None:
    with pytest.raises(DatasetError, match="1 to 63 bytes"):
        ensure_database(server, name)


def test_a_copy_of_a_template_is_made_though_somebody_is_connected(
    server: URL, running: Running, connect: Connect
) -> None:
    ensure_database(server, "base")
    forgotten = connect(running.socket_folder, "base")
    forgotten.execute("CREATE TABLE t AS SELECT 1 AS n")
    create_from_template(server, "run", "base")
    assert connect(running.socket_folder, "run").execute("SELECT n FROM t").fetchall() == [(1,)]
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
    with pytest.raises(DatasetError, match=r'cannot be made of .base.: database "run" already'):
        create_from_template(server, "run", "base")
    drop_database(server, "run")  # though somebody is connected
    create_from_template(server, "run", "base")


def test_a_template_that_stays_in_use_is_said(
    server: URL, running: Running, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_database(server, "used")
    connect(running.socket_folder, "used")
    monkeypatch.setattr("target_app.postgres.databases._end_connections", lambda *_: None)
    with pytest.raises(DatasetError, match=r"(?s)being accessed by other users.*Stop what uses"):
        create_from_template(server, "run2", "used")


def test_a_template_that_is_not_there_is_said(server: URL) -> None:
    with pytest.raises(DatasetError, match='template database "nowhere" does not exist'):
        create_from_template(server, "run3", "nowhere")


def test_a_user_who_may_not_is_told(server: URL, running: Running, connect: Connect) -> None:
    connect(running.socket_folder).execute("CREATE ROLE guest LOGIN")
    with pytest.raises(DatasetError, match=r"permission denied.*Name a user who may"):
        ensure_database(server.set(username="guest"), "theirs")
