"""Fixtures of the end-to-end tests: real commands, real servers, real processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.harness import Done, Harness


@dataclass(frozen=True)
class SmokeRun:
    """The one run of the smoke scenario that many tests look at."""

    harness: Harness
    done: Done
    folder: Path


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[SmokeRun]:
    """``trueload run smoke``, once a session."""
    harness = Harness(tmp_path_factory.mktemp("smoke"), cache)
    done = harness.run("run", "smoke")
    yield SmokeRun(harness, done, harness.the_run())
    harness.clean()
