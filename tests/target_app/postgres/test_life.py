"""A server's life is tied to that of the process that started it, whatever that becomes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from target_app.postgres import Cluster, copy_cluster
from target_app.postgres.sockets import SOCKET, socket_folder
from tests.target_app.postgres import leftovers
from tests.target_app.postgres.conftest import Connect

pytestmark = pytest.mark.slow

OWNER = """
import os, sys, time
from pathlib import Path
from target_app.postgres import Cluster
running = Cluster(Path(sys.argv[1])).start()
print(running.pid, flush=True)
if sys.argv[2:]:
    os.execv(sys.argv[2], sys.argv[2:])
time.sleep(600)
"""

RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = ANY(%s)"

Own = Callable[..., tuple[subprocess.Popen[str], int]]


@pytest.fixture
def own() -> Iterator[Own]:
    """Have another process start a server; gives that process and the server's id."""
    owners = []

    def own(cluster: Cluster, *becomes: str) -> tuple[subprocess.Popen[str], int]:
        words = [sys.executable, "-c", OWNER, str(cluster.folder), *becomes]
        owner = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        owners.append(owner)
        assert owner.stdout is not None
        return owner, int(owner.stdout.readline())

    yield own
    for owner in owners:
        owner.kill()
        owner.communicate()


def test_a_killed_owner_takes_everything_along_but_what_was_committed(
    cluster: Cluster, own: Own, connect: Connect
) -> None:
    owner, server = own(cluster)
    idle, asleep, busy = (connect(cluster.folder) for _ in range(3))
    idle.execute("CREATE TABLE t (n int)")
    asleep.pgconn.send_query(b"SELECT pg_sleep(60)")
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000)")
    busy_ones = [asleep.info.backend_pid, busy.info.backend_pid]
    _wait_until(lambda: idle.execute(RUNNING, [busy_ones]).fetchone() == (2,))
    idle.execute("INSERT INTO t VALUES (1)")

    owner.kill()

    assert leftovers.gone_within(10, cluster.folder)
    assert leftovers.segments({server}) == []
    assert leftovers.sockets(cluster.folder) == []
    with cluster.start():
        assert connect(cluster.folder).execute("SELECT n FROM t").fetchall() == [(1,)]


def test_a_server_stays_when_its_owner_becomes_another_program(
    cluster: Cluster, own: Own, connect: Connect
) -> None:
    owner, server = own(cluster, "/bin/sleep", "600")
    _wait_until(lambda: Path(f"/proc/{owner.pid}/comm").read_text() == "sleep\n")
    # Were it ended now, the statement would not come to its end.
    connect(cluster.folder).execute("SELECT pg_sleep(0.2)")

    owner.kill()

    assert leftovers.gone_within(10, cluster.folder)
    assert leftovers.segments({server}) == []


def test_the_folder_of_a_socket_elsewhere_goes_with_the_last_process(
    base: Cluster, tmp_path: Path, own: Own
) -> None:
    cluster = copy_cluster(base.folder, tmp_path / ("l" * 120))
    place = socket_folder(cluster.folder)
    assert place != cluster.folder
    for _ in range(3):  # the next start waits until the folder of the one before is gone
        owner, _ = own(cluster, "/bin/sleep", "600")
        assert [path.name for path in place.iterdir() if path.is_socket()] == [SOCKET]

        owner.kill()

    _wait_until(lambda: not place.exists())
    assert leftovers.processes(cluster.folder) == set()


def test_a_start_right_after_the_owner_was_killed_waits_for_the_old_server(
    cluster: Cluster, own: Own
) -> None:
    owner, server = own(cluster)
    owner.kill()
    with cluster.start() as running:
        assert running.pid != server


def test_a_killed_server_does_not_hinder_the_next_start(cluster: Cluster, connect: Connect) -> None:
    running = cluster.start()
    connect(cluster.folder).execute("CREATE TABLE t (n int)")
    os.kill(running.pid, signal.SIGKILL)
    running.process.wait()
    # As after a restart of the machine: the old number is now that of a process that is no server.
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        path = cluster.folder / name
        assert str(running.pid) in path.read_text()
        path.write_text(path.read_text().replace(str(running.pid), str(os.getppid())))
    with cluster.start() as again:
        assert connect(cluster.folder).execute("SELECT n FROM t").fetchall() == []
    assert leftovers.segments({running.pid, again.pid}) == []


def test_a_server_that_is_ended_at_once_recovers(cluster: Cluster, connect: Connect) -> None:
    running = cluster.start()
    connect(cluster.folder).execute("CREATE TABLE t AS SELECT 1 AS n")
    running.kill()
    running.kill()  # does nothing
    with cluster.start():
        assert connect(cluster.folder).execute("SELECT n FROM t").fetchall() == [(1,)]


def test_an_interrupt_of_the_terminal_does_not_reach_the_server(cluster: Cluster, own: Own) -> None:
    _, server = own(cluster)
    assert os.getsid(server) == server


def _wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
