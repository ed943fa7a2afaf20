"""
Starts one of PostgreSQL's programs, tied to the life of who asked for it, and never as root.

Run as ``python -I -S launch.py PARENT REMOVE FOLDER... -- COMMAND...``. The kernel sends the
program SIGQUIT when the thread that started it ends, whatever that thread's process has become by
exec in the meantime. On SIGQUIT all of PostgreSQL is gone in a twentieth of a second, sockets and
shared memory included; SIGKILL would leave both, and busy backends that run on for seconds. It does
not remove the folder of a socket, and who started it may have ended: so a process that waits for
its end removes the folder REMOVE, unless that is empty text.

PostgreSQL refuses to run as root, and ``initdb`` as a user without a name. Such a user puts on
another name in a user namespace of its own, in which nothing changes hands and every file is as
reachable as before. Where the system does not allow that (many containers do not), root becomes
``nobody`` instead and hands it the FOLDERs.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_CLONE_NEWUSER = 0x10000000  # <linux/sched.h>
_SEPARATOR = "--"


def command(folders: list[Path], words: list[str], *, remove: Path | None = None) -> list[str]:
    """
    Write the command line that starts a program through this script.

    Parameters
    ----------
    folders : list of Path
        The folders that it writes into.
    words : list of str
        The program, by its absolute path, and its arguments.
    remove : Path, optional
        A folder to remove when the program and all that came of it have ended, if it is empty.

    Returns
    -------
    list of str
    """
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).absolute()), str(os.getpid())]
    return [*launcher, str(remove or ""), *map(str, folders), _SEPARATOR, *words]


def nobody() -> pwd.struct_passwd:
    """
    Find the user as whom root runs PostgreSQL where it has no better way.

    Returns
    -------
    pwd.struct_passwd
    """
    return pwd.getpwnam("nobody")


def main(arguments: list[str]) -> None:
    """
    Become somebody that PostgreSQL accepts, tie, and become the program.

    Parameters
    ----------
    arguments : list of str
        Process id of the parent, the folder to remove, folders, ``--``, and the command.
    """
    parent, remove, *rest = arguments
    separator = rest.index(_SEPARATOR)
    folders = [Path(word) for word in rest[:separator]]
    words = rest[separator + 1 :]
    libc = ctypes.CDLL(None, use_errno=True)
    if _become_acceptable(libc, folders):
        _require_way_to(folders, Path(words[0]))
    if remove:
        _remove_at_end(remove)
    # Only now: a change of user would undo the tie.
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)  # it died before the tie was made
    os.execv(words[0], words)  # noqa: S606 - no shell is what is wanted


def _remove_at_end(folder: str) -> None:
    """
    Have another process remove a folder when this one, and all that came of it, have ended.

    It inherits the lock of the cluster, too: who starts the next server waits for it.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        # Whoever becomes the program would have a child that it knows nothing of.
        if os.fork() == 0:
            os.close(writing)
            os.chdir("/")
            os.read(reading, 1)  # comes to its end when nobody is left who could write
            with suppress(OSError):
                Path(folder).rmdir()
        os._exit(0)
    os.wait()
    os.close(reading)
    os.set_inheritable(writing, True)  # for as long as the program lives, and what it starts


def _become_acceptable(libc: ctypes.CDLL, folders: list[Path]) -> bool:
    """Be a user who is not root and has a name; tell whether that took a change."""
    user = os.geteuid()
    if user != 0 and _has_name(user):
        return False
    if user == 0:  # what it handed over before, when the system allowed less, is root's again
        for folder in folders:
            _hand_over(folder, 0, 0)
    if _put_on_name(libc, user):
        return True
    if user != 0:
        return False  # without a name one can at least try
    other = nobody()
    for folder in folders:
        _hand_over(folder, other.pw_uid, other.pw_gid)
    os.setgroups([])
    os.setgid(other.pw_gid)
    os.setuid(other.pw_uid)
    return True


def _put_on_name(libc: ctypes.CDLL, user: int) -> bool:
    """Be seen as ``nobody`` from inside, still being who we are; tell whether that was allowed."""
    group = os.getegid()
    name = nobody()
    if libc.unshare(_CLONE_NEWUSER) != 0:
        return False
    # From here on Python's own files may be out of reach, so nothing may be imported any more: not
    # even another codec than this one.
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        Path("/proc/self/uid_map").write_text(f"{name.pw_uid} {user} 1", encoding="utf-8")
        Path("/proc/self/gid_map").write_text(f"{name.pw_gid} {group} 1", encoding="utf-8")
    except OSError as error:
        sys.exit(f"a user namespace was made and cannot be used: {error}")
    return True


def _hand_over(folder: Path, user: int, group: int) -> None:
    """Give a folder and everything in it to a user, following no links."""
    if folder.stat().st_uid == user:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, group, follow_symlinks=False)
    os.chown(folder, user, group)  # last: it tells that all of it was given


def _require_way_to(folders: list[Path], program: Path) -> None:
    """End with a message when the user that we are now cannot reach what is needed."""
    for path in (*folders, program):
        for step in (*reversed(path.parents), path):
            if not os.access(step, os.X_OK):
                sys.exit(
                    f"{step}: PostgreSQL cannot run as root, and user {os.geteuid()} as whom it "
                    f"runs instead may not enter this. Use a folder and a Python environment "
                    "that every user may enter, or start as another user than root."
                )


def _has_name(user: int) -> bool:
    """Tell whether the system knows a user by a name."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
