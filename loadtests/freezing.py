"""Processes that are stopped for a while, and go on whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_THAW = Path(__file__).with_name("thaw.py")


class Frozen:
    """Processes stopped with SIGSTOP; :meth:`thaw` has them go on.

    A small process that outlives this one has them go on when this one is killed.

    Parameters
    ----------
    pids : iterable of int
        Whom to stop, in this order; those that have ended are left out.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._by_pid: dict[int, int] = {}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                self._by_pid[pid] = os.pidfd_open(pid)
        descriptors = list(self._by_pid.values())
        self._guard = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_THAW), *map(str, descriptors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )

    @property
    def pids(self) -> list[int]:
        """Those that are stopped."""
        return list(self._by_pid)

    def freeze(self) -> None:
        """Stop them."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have them go on; does nothing the second time."""
        self._send(signal.SIGCONT)
        for descriptor in self._by_pid.values():
            os.close(descriptor)
        self._by_pid = {}
        self._guard.communicate()  # ends its stdin, and waits for it

    def _send(self, number: signal.Signals) -> None:
        for descriptor in self._by_pid.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
