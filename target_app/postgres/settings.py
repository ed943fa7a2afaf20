"""What the server is told, and why."""

from __future__ import annotations

import os

# Beside the application's own: a look from outside, a reset, and three that PostgreSQL keeps back.
_RESERVED_CONNECTIONS = 10
_SHARED_BUFFERS_MIB = 256
_MIB = 1024 * 1024


def settings(connections: int, *, building: bool = False) -> dict[str, str | int]:
    """
    Write the settings of a server.

    Parameters
    ----------
    connections : int
        How many connections the application may hold.
    building : bool
        Whether a dataset is being made: fast, and worth nothing unless it ends with a clean stop.

    Returns
    -------
    dict of str to str or int
        By the names that PostgreSQL has for them.
    """
    return _serving(connections) | (_building() if building else {})


def _serving(connections: int) -> dict[str, str | int]:
    """Write what holds always; durability stays as PostgreSQL has it: fsync, at each commit."""
    return {
        # Reached through a socket in a folder that only we may enter; no port is taken.
        "listen_addresses": "",
        "port": 5432,  # part of the socket's name; PGPORT would change it
        "unix_socket_permissions": "0700",
        "max_connections": connections + _RESERVED_CONNECTIONS,
        # Room for a reference dataset, so that a run measures queries and not the disk.
        "shared_buffers": f"{_buffers_mib()}MB",
        # Files in the cluster's own folder; the default is /dev/shm, where a kill leaves them.
        "dynamic_shared_memory_type": "mmap",
        # The defaults (1 GB, 5 min) put a checkpoint into some runs and not into others.
        "max_wal_size": "4GB",
        "checkpoint_timeout": "30min",
        # Tells waiting for the disk from computing, for some tens of nanoseconds a read.
        "track_io_timing": "on",
        # A long run must meet what a long run meets: dead rows, and their removal.
        "autovacuum": "on",
        # Compiling a query's expressions would make some first requests slow, by chance of a plan.
        "jit": "off",
        # The machine's own zone must not decide what a date is.
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "off",  # a log file is there already, and no other process is wanted
        "log_checkpoints": "on",  # one of the few things that explain a slow second afterwards
        "log_lock_waits": "on",
    }


def _building() -> dict[str, str | int]:
    """Write what makes loading fast: a build that breaks off is thrown away."""
    return {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        # Rows into a table that was made in the same transaction are not logged at all.
        "wal_level": "minimal",
        "max_wal_senders": 0,  # which minimal demands
        # Old segments of the log are removed instead of kept for use: each copy would carry them.
        "wal_recycle": "off",
        "autovacuum": "off",  # it would write statistics at a moment of its own
        "maintenance_work_mem": f"{_buffers_mib()}MB",
        "max_wal_size": "16GB",
    }


def _buffers_mib() -> int:
    """Give the size of the buffers: at most a quarter of the memory, as its manual has it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(_SHARED_BUFFERS_MIB, max(16, memory // 4 // _MIB))
