from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
SAY = """
import json, os, pathlib
from loadtests.generator.priority import go_first
go_first()
group = pathlib.Path("/proc/self/autogroup")
said = group.read_text() if group.exists() else ""
print(json.dumps([os.getpriority(os.PRIO_PROCESS, 0), said]))
"""


def niceness(said: str) -> str:
    """Of a session; the one that the machine began with is in no group, and its file empty."""
    return said.rsplit(maxsplit=1)[-1] if said else "none"


def priorities(*, own_session: bool) -> tuple[int, str]:
    """Niceness of a process that goes first, and of its session."""
    done = subprocess.run(
        [sys.executable, "-c", SAY],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        start_new_session=own_session,
    )
    nice, said = json.loads(done.stdout)
    return nice, niceness(said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go before others")
def test_a_generator_goes_before_other_sessions_too() -> None:
    nice, session = priorities(own_session=True)
    assert nice == -10
    assert session == "-10" or not AUTOGROUP.exists()


def test_a_session_that_others_are_in_is_left_alone() -> None:
    before = niceness(AUTOGROUP.read_text() if AUTOGROUP.exists() else "")
    assert priorities(own_session=False)[1] == before
