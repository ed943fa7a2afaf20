"""Root never runs PostgreSQL: it puts on another name, or becomes nobody where it may not."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from target_app.postgres import Cluster, binaries

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]

CHECKOUT = Path(__file__).parents[3]

# A machine on which not even root may make a user namespace, as most containers are: made of a
# namespace of our own in which all users are who they are, and which allows no further ones.
WITHOUT_NAMESPACES = """
import ctypes, sys
from pathlib import Path
assert ctypes.CDLL(None).unshare(0x10000000) == 0
print("map me", flush=True)
sys.stdin.readline()
Path("/proc/sys/user/max_user_namespaces").write_text("0")
"""

LIFE = """
import os, sys
from pathlib import Path
from target_app.errors import DatasetError
from target_app.postgres import Cluster, copy_cluster
folder = Path(sys.argv[1])
try:
    made = Cluster.create(folder / "c")
    for cluster in (made, copy_cluster(made.folder, folder / ("l" * 120)), made):
        with cluster.start() as running:
            print("runs as", Path(f"/proc/{running.pid}").stat().st_uid)
except DatasetError as error:
    print(error)
"""

# The launcher itself, as a user who may have no access to this Python: so all is imported before.
NAMELESS = """
import ctypes, os, sys
from target_app.postgres import launch
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: /proc/self is ours, as after an exec
launch.main([str(os.getppid()), "", *sys.argv[1:]])
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are not."""
    if not all(step.stat().st_mode & stat.S_IXOTH for step in binaries().parents):
        pytest.skip("the programs are where only root may go")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_as_root_the_files_stay_roots(base: Cluster) -> None:
    assert base.folder.stat().st_uid == 0


def test_without_user_namespaces_root_becomes_nobody(open_folder: Path) -> None:
    said = _live_without_namespaces(open_folder)
    assert said == "runs as 65534\n" * 3
    folder = open_folder / "c"
    assert folder.stat().st_uid == 65534
    with Cluster(folder).start():  # where root need not be nobody, it takes back what it gave
        assert {path.stat().st_uid for path in (folder, *folder.rglob("*"))} == {0}


def test_where_nobody_may_not_go_the_folder_is_named(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    said = _live_without_namespaces(closed)
    assert f"{closed}: PostgreSQL cannot run as root" in said
    assert list(closed.iterdir()) == []


def test_a_user_without_a_name_is_given_one(open_folder: Path) -> None:
    os.chown(open_folder, 54321, 54321)
    initdb = [str(binaries() / "initdb"), "--no-sync", "-U", "crm", "-D", str(open_folder / "c")]
    words = [sys.executable, "-c", NAMELESS, str(open_folder), "--", *initdb]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if "could not look up effective user ID" in done.stderr:
        pytest.skip("this system allows no user namespaces to its users")
    assert done.returncode == 0, done.stderr
    assert (open_folder / "c" / "PG_VERSION").stat().st_uid == 54321


def _live_without_namespaces(folder: Path) -> str:
    words = [sys.executable, "-c", WITHOUT_NAMESPACES + LIFE, str(folder)]
    with subprocess.Popen(
        words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        if child.stdout.readline() != "map me\n":
            pytest.skip("this system allows no user namespaces, so none can be taken away")
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{child.pid}/{kind}").write_text("0 0 65536")
        said, _ = child.communicate("go\n")
    return said
