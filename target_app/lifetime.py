"""Tying the life of a server worker to that of its master."""

import ctypes
import multiprocessing
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def die_with_master() -> None:
    """
    Have the kernel kill this worker process when its master is gone.

    A master that is killed with SIGKILL cannot end its workers: they would go on serving, and hold
    the port. Does nothing in a process that no `multiprocessing` parent has started, nor elsewhere
    than on Linux.
    """
    master = multiprocessing.parent_process()
    if master is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # It may have died before the call above, and nobody would tell us any more.
    if os.getppid() != master.pid:
        os._exit(1)
