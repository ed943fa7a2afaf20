"""Goes before what else runs on a generator's cores."""

from __future__ import annotations

import contextlib
import os

_PRIORITY = -10


def go_first() -> None:
    """Go before whatever else runs on this process's cores, where the system lets it.

    What measures must not wait for its turn: on a core of its own it takes nothing from
    the target, only from what happens to run there beside it.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
