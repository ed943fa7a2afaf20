"""How many files, and so connections, this process may have open."""

from __future__ import annotations

import resource

_ENOUGH = 1_048_576


def allow_many() -> int:
    """Take as many as the system gives without asking: each virtual user has a connection.

    The usual limit of 1,024 is for programs that still use ``select``; what is allowed is
    usually some hundred thousands.

    Returns
    -------
    int
        What is allowed now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
