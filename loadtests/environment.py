"""The environment fingerprint: what a run ran on, so that runs can be compared."""

from __future__ import annotations

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
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "packages": {
            name: package.version
            for package in distributions()
            if (name := package.metadata["Name"].lower()) in _PACKAGES
        },
    }


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
