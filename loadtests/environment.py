"""The environment fingerprint: what a run ran on, so that runs can be compared."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = frozenset(
    {"trueload", "locust", "gevent", "geventhttpclient", "pyarrow", "pandas", "numpy", "scipy"}
)


def fingerprint() -> dict[str, Any]:
    """Describe this machine and the software on it.

    Returns
    -------
    dict
        CPU, cores, memory, kernel, Python, packages; nothing that identifies a person.
    """
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "memory_limit_bytes": memory_limit(),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "packages": {
            name: package.version
            for package in distributions()
            if (name := package.metadata["Name"].lower()) in _PACKAGES
        },
    }


def memory_limit(mounted: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> int | None:
    """Find how much memory the control groups of this process leave to it.

    Parameters
    ----------
    mounted : Path
        Where control groups (version 2) are seen.
    own : str, optional
        The group of this process, as ``/proc/self/cgroup`` names it.

    Returns
    -------
    int or None
        Bytes, the least of its groups; None where none of them has a limit.
    """
    if own is None:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "/")
    group = mounted / own.strip("/")
    found = []
    for folder in (group, *group.parents):
        if folder == mounted or mounted in folder.parents:
            with contextlib.suppress(OSError, ValueError):  # no such file; "max"
                found.append(int((folder / "memory.max").read_text(encoding="utf-8")))
    return min(found, default=None)


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def tags() -> dict[str, str]:
    """Commit and branch of the working folder, when it is a git checkout."""
    found: dict[str, str] = {}
    for name, words in (
        ("commit", ("rev-parse", "HEAD")),
        ("branch", ("branch", "--show-current")),
    ):
        try:
            done = subprocess.run(
                ["git", *words],  # noqa: S607 - the user's own git
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return found
        if done.returncode == 0 and done.stdout.strip():
            found[name] = done.stdout.strip()
    return found
