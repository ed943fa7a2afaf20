"""Child processes whose life is tied to the supervisor's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")


class Child:
    """A child process in a process group of its own.

    Parameters
    ----------
    command : sequence of str
        What to run; the first word is a path.
    log : Path
        Where its output goes.
    cores : frozenset of int, optional
        The cores that it may use; all by default.
    environment : mapping of str to str, optional
        Added to the supervisor's.
    fds : sequence of int
        File descriptors that it inherits.

    Raises
    ------
    RuntimeError
        When it is not started from the main thread: the kernel ties the child
        to the thread, and a thread may end before the process.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cores: frozenset[int] | None = None,
        environment: Mapping[str, str] | None = None,
        fds: Sequence[int] = (),
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                tied(command, cores),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                pass_fds=fds,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone
            )
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        """Exit code; None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; tells whether it came."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace_s: float) -> None:
        """End it: SIGTERM, a grace, then SIGKILL to its whole group."""
        if self.exit_code() is None:
            self._process.terminate()
            self.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """End it and whatever it started, now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def tied(command: Sequence[str], cores: frozenset[int] | None = None) -> list[str]:
    """Command that runs another one tied to this process, on some cores."""
    pinned = ",".join(str(core) for core in sorted(cores)) if cores else "-"
    tie = [str(int(signal.SIGKILL)), str(os.getpid()), pinned]
    return [sys.executable, "-S", "-E", str(_LAUNCHER), *tie, *command]


def python(*arguments: str) -> list[str]:
    """Command of a module of ours.

    ``-P`` keeps the working folder off the path: a module of the user's that is
    called like one of ours must not be taken for it.
    """
    return [sys.executable, "-P", *arguments]
