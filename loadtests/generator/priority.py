"""Goes before what else runs on a generator's cores."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PRIORITY = -10
_AUTOGROUP = Path("/proc/self/autogroup")


def go_first() -> None:
    """Go before whatever else runs on this process's cores, where the system lets it.

    What measures must not wait for its turn: on a core of its own it takes nothing from
    the target, only from what happens to run there beside it. Where the kernel shares a core
    between sessions first (autogroup, on by default), niceness counts only within one: then
    the session has one of its own, which is set too when it is this process's alone.

    References
    ----------
    sched(7), "The autogroup feature".
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            _AUTOGROUP.write_text(str(_PRIORITY), encoding="ascii")
