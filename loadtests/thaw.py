"""Continues processes that were stopped, when whoever stopped them is gone.

Run as ``python -S -E thaw.py PIDFD...`` with the reading end of a pipe as stdin. A
process that is stopped takes no signal but SIGKILL and SIGCONT: what is tied to a
supervisor that was killed by another signal (PostgreSQL ends on SIGQUIT) would
stay for ever. Processes are named by descriptors: a number may be somebody else's
by then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main(descriptors: list[str]) -> None:
    """Wait until nobody holds the other end of stdin, then continue them.

    Parameters
    ----------
    descriptors : list of str
        Inherited pidfds.
    """
    os.read(0, 1)
    for descriptor in descriptors:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(int(descriptor), signal.SIGCONT)


if __name__ == "__main__":
    main(sys.argv[1:])
