"""Starts a command whose life is tied to its parent's, on the cores it may use.

Run as ``python -S -E launch.py SIGNAL PARENT CORES COMMAND...``. A child cannot
outlive a supervisor that was killed: the kernel sends it SIGNAL when the thread
that started it ends (so children are started from the main thread). Cores are
set before exec, because every later thread inherits them. CORES is a list such
as ``0,2``, or ``-``.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie, pin, and become the command.

    Parameters
    ----------
    arguments : list of str
        Signal number, process id of the parent, cores, and the command.
    """
    signal, parent, cores, *command = arguments
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)  # the supervisor died before the tie was made
    if cores != "-":
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
