"""A copy is complete, independent, and only of a cluster that was cleanly stopped."""

import stat
from pathlib import Path

import pytest

from target_app.errors import DatasetError
from target_app.postgres import Cluster, copy_cluster
from target_app.postgres.lock import held
from tests.target_app.postgres.conftest import Connect

pytestmark = pytest.mark.slow


def test_a_copy_is_independent(cluster: Cluster, connect: Connect, tmp_path: Path) -> None:
    copy = copy_cluster(cluster.folder, tmp_path / "copy")
    assert stat.S_IMODE(copy.folder.stat().st_mode) == 0o700
    with copy.start():
        connect(copy.folder).execute("CREATE TABLE only_here (n int)")
        with cluster.start():
            found = connect(cluster.folder).execute("SELECT to_regclass('only_here')").fetchone()
    assert found == (None,)


def test_a_copy_replaces_an_older_one(cluster: Cluster, tmp_path: Path) -> None:
    copy = copy_cluster(cluster.folder, tmp_path / "copy")
    (copy.folder / "of_the_old_one").touch()
    copy_cluster(cluster.folder, copy.folder)
    assert not (copy.folder / "of_the_old_one").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"cluster", "copy"}


def test_a_running_cluster_is_neither_copied_nor_replaced(
    base: Cluster, cluster: Cluster, tmp_path: Path
) -> None:
    with cluster.start() as running:
        with pytest.raises(DatasetError, match=rf"a server runs on it \(process {running.pid}\)"):
            copy_cluster(cluster.folder, tmp_path / "copy")
        with pytest.raises(DatasetError, match=rf"a server runs on it \(process {running.pid}\)"):
            copy_cluster(base.folder, cluster.folder)
    assert {path.name for path in tmp_path.iterdir()} == {"cluster"}


def test_a_killed_cluster_is_not_copied(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start().kill()
    with pytest.raises(DatasetError, match=r"was not cleanly stopped \(state: in production\)"):
        copy_cluster(cluster.folder, tmp_path / "copy")


def test_several_may_copy_at_the_same_time(base: Cluster, tmp_path: Path) -> None:
    with held(base.folder, shared=True):
        copy_cluster(base.folder, tmp_path / "copy")


def test_a_copy_without_help_of_the_kernel_is_the_same(
    base: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError

    monkeypatch.setattr("os.copy_file_range", refuse)
    copy = copy_cluster(base.folder, tmp_path / "copy")
    names = [path.relative_to(copy.folder) for path in copy.folder.rglob("*") if path.is_file()]
    assert len(names) > 500
    assert all(
        (copy.folder / name).read_bytes() == (base.folder / name).read_bytes() for name in names
    )


def test_what_is_not_ours_to_replace_is_kept(cluster: Cluster, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis").touch()
    for target, message in (
        (precious, "is no PostgreSQL cluster"),
        (precious / "thesis", "is no PostgreSQL cluster"),
        (cluster.folder, "is the cluster itself"),
        (cluster.folder / "base" / "copy", "is the cluster itself, or in it"),
    ):
        with pytest.raises(DatasetError, match=message):
            copy_cluster(cluster.folder, target)
    assert (precious / "thesis").exists()


def test_a_cluster_with_parts_elsewhere_is_not_copied(cluster: Cluster, tmp_path: Path) -> None:
    (cluster.folder / "pg_tblspc" / "16400").symlink_to(tmp_path)
    with pytest.raises(DatasetError, match="tablespaces in other folders"):
        copy_cluster(cluster.folder, tmp_path / "copy")
