"""Datasets in PostgreSQL: in a cluster of our own, and on a server that somebody gives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import URL, create_engine

from target_app import seeding
from target_app.cli import main
from target_app.models import Base
from target_app.postgres import Cluster, Running, copy_cluster, ensure_database, urls
from target_app.seeding import DatasetError, accounts
from target_app.seeding.digest import hash_of_database

pytestmark = pytest.mark.slow

CUSTOMERS = 300


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> seeding.Found:
    folder = tmp_path_factory.mktemp("postgres-dataset")
    return seeding.seed(folder, customers=CUSTOMERS, seed=1, database="postgres")


@pytest.fixture(scope="module")
def server(found: seeding.Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of somebody: on it are the dataset, as `crm`, and other things."""
    folder = tmp_path_factory.mktemp("server") / "cluster"
    running = copy_cluster(found.database, folder).start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def given(server: Running) -> str:
    return shown(server.url("postgres"))


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def ask(server: Running, database: str, words: str) -> list[tuple[Any, ...]]:
    with urls.connect(server.url(database)) as connection:
        return connection.execute(words).fetchall()


def on_server(tmp_path: Path, given: str, **parameters: Any) -> seeding.Found:
    parameters = {"customers": 5, "seed": 1, "accounts": 1} | parameters
    return seeding.seed(tmp_path / "data", database=given, **parameters)


def test_both_databases_hold_the_same(
    found: seeding.Found, dataset: seeding.Found, server: Running
) -> None:
    assert found.manifest == dataset.manifest
    engine = create_engine(server.url("crm"))
    with engine.connect() as connection:
        assert hash_of_database(connection) == dataset.manifest.dataset_hash
    engine.dispose()
    assert found.accounts.read_bytes() == dataset.accounts.read_bytes()


def test_every_index_and_reference_of_the_models_is_there(server: Running) -> None:
    tables = Base.metadata.sorted_tables
    there = {row[0] for row in ask(server, "crm", "SELECT indexname FROM pg_indexes")}
    assert {str(index.name) for table in tables for index in table.indexes} <= there

    words = (
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND convalidated"
    )
    there_of = sorted(row[0] for row in ask(server, "crm", words))
    assert there_of == sorted(t.name for t in tables for c in t.columns for _ in c.foreign_keys)


def test_new_rows_get_new_keys_and_the_planner_knows_the_old(server: Running) -> None:
    for table in Base.metadata.sorted_tables:
        ((highest,),) = ask(server, "crm", f"SELECT max(id) FROM {table.name}")
        name = f"pg_get_serial_sequence('{table.name}', 'id')"
        ((key,),) = ask(server, "crm", f"SELECT nextval({name})")
        assert key == (highest or 0) + 1
    words = "SELECT reltuples FROM pg_class WHERE relname = 'customers'"
    assert ask(server, "crm", words) == [(CUSTOMERS,)]


def test_a_cluster_is_reused_until_somebody_ran_on_it(tmp_path: Path) -> None:
    parameters: dict[str, Any] = {"customers": 3, "seed": 1, "database": "postgres"}
    first = seeding.seed(tmp_path, **parameters)
    assert seeding.seed(tmp_path, **parameters).remark == "reused"

    with Cluster(first.database).start() as running, urls.connect(running.url("crm")) as connection:
        with pytest.raises(DatasetError, match="holds no complete dataset"):
            seeding.copy_dataset(tmp_path, tmp_path / "copy")
        connection.execute("SELECT 1")
    assert seeding.verify(tmp_path) == first.manifest
    assert seeding.seed(tmp_path, **parameters).remark == "reused"

    with Cluster(first.database).start() as running, urls.connect(running.url("crm")) as connection:
        connection.execute("DELETE FROM responses")
    again = seeding.seed(tmp_path, **parameters)
    assert again.remark == "made anew: the one there had been changed since"
    assert again.manifest == first.manifest


def test_reset_copies_the_cluster(found: seeding.Found, tmp_path: Path) -> None:
    words = ["reset", "--data", str(found.folder), "--to", str(tmp_path / "copy")]
    for _ in range(2):  # the second replaces the first
        result = CliRunner().invoke(main, words)
        assert result.stdout == f"{tmp_path / 'copy'}\n"
    with Cluster(tmp_path / "copy").start() as running:
        with psycopg.connect(shown(running.url("crm").set(drivername="postgresql"))) as connection:
            row = connection.execute("SELECT count(*) FROM customers").fetchone()
        assert row == (CUSTOMERS,)


def test_a_dataset_is_not_of_another_kind(found: seeding.Found, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds another dataset \(.* database postgres\)"):
        seeding.seed(found.folder, customers=CUSTOMERS, seed=1)
    with pytest.raises(DatasetError, match="is a cluster, so name a folder"):
        seeding.reset(found.folder, "postgresql://u:secret@h/x")


def test_a_server_keeps_the_dataset_as_a_template(
    tmp_path: Path, server: Running, given: str
) -> None:
    first = on_server(tmp_path, given)
    assert first.remark == "made"
    assert on_server(tmp_path, given).remark == "reused"
    assert seeding.verify(first.folder) == first.manifest

    # Somebody else on another machine, or without the folder, finds it on the server.
    other = seeding.seed(tmp_path / "other", customers=5, seed=1, accounts=1, database=given)
    assert other.remark == "found"
    assert other.manifest == first.manifest
    assert other.accounts.read_bytes() == first.accounts.read_bytes()
    assert len(accounts.read_accounts(other.accounts)[1]) == 9
    template = f"trueload_{first.manifest.recipe.key()[:12]}"
    assert template in str(first.place)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(server, template, "UPDATE customers SET name = 'changed' RETURNING 1")
    with pytest.raises(DatasetError, match="is on a server, not in a file"):
        _ = first.database


def test_a_copy_on_a_server_replaces_an_older_copy(
    tmp_path: Path, server: Running, given: str
) -> None:
    folder = on_server(tmp_path, given).folder
    target = shown(server.url("work"))
    assert seeding.reset(folder, target) == target
    ask(server, "work", "DELETE FROM responses RETURNING 1")
    ask(server, "work", "UPDATE customers SET name = 'changed' RETURNING 1")
    seeding.reset(folder, target)

    assert ask(server, "work", "SELECT count(*) FROM customers WHERE name = 'changed'") == [(0,)]


@pytest.mark.parametrize(
    "content",
    [None, "CREATE TABLE mine (a int)", "CREATE TABLE dataset (id int, manifest text)"],
)
def test_what_is_not_ours_is_not_replaced(
    tmp_path: Path, server: Running, given: str, content: str | None
) -> None:
    folder = on_server(tmp_path, given).folder
    name = f"somebodys{len(content) if content else 0}"
    ensure_database(server.url(), name)
    if content:
        with urls.connect(server.url(name)) as connection:
            connection.execute(content)

    with pytest.raises(DatasetError, match="holds no dataset of ours, so it is not replaced"):
        seeding.reset(folder, shown(server.url(name)))

    there = ask(server, "postgres", f"SELECT count(*) FROM pg_database WHERE datname = '{name}'")
    assert there == [(1,)]


@pytest.mark.parametrize("name", ["postgres", "template1", "trueload_0123456789ab"])
def test_what_others_need_is_not_replaced(
    tmp_path: Path, server: Running, given: str, name: str
) -> None:
    folder = on_server(tmp_path, given).folder
    with pytest.raises(DatasetError, match="Name a database of its own for the copy"):
        seeding.reset(folder, shown(server.url(name)))


def test_the_name_of_the_template_may_be_taken(tmp_path: Path, server: Running, given: str) -> None:
    recipe = seeding.Recipe(customers=4, seed=9, accounts=1)
    name = f"trueload_{recipe.key()[:12]}"
    for suffix, message in (("", "holds no dataset of ours"), ("_building", "other tables")):
        ensure_database(server.url(), name + suffix)
        with urls.connect(server.url(name + suffix)) as connection:
            connection.execute("CREATE TABLE mine (a int)")
        with pytest.raises(DatasetError, match=message):
            on_server(tmp_path, given, customers=4, seed=9)
        with urls.connect(server.url()) as connection:
            connection.execute(f'DROP DATABASE "{name}{suffix}"')
    ensure_database(server.url(), name + "_building")  # as a build that was killed leaves it

    assert on_server(tmp_path, given, customers=4, seed=9).remark == "made"


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    url = "postgresql://u:secret@127.0.0.1:1/x"
    words = ["seed", "--customers", "3", "--data", str(tmp_path / "d")]
    result = CliRunner().invoke(main, words, env={"CRM_SEED_DATABASE": url})

    assert result.exit_code == 2
    assert "cannot be reached" in result.stderr
    assert "secret" not in result.output


def test_a_password_is_not_kept(tmp_path: Path, server: Running, given: str) -> None:
    url = server.url("postgres").set(password="secret")
    made = on_server(tmp_path, shown(url))
    kept = (made.folder / "manifest.json").read_text()

    assert "secret" not in kept + str(made.place)
    assert seeding.default_folder(1, 1, database=shown(url)) == seeding.default_folder(
        1, 1, database=given
    )
