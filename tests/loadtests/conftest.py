"""Fixtures of the load tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Harness

# The engine patches the process that imports it, which must not be the test process.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401 - only to have it imported unpatched

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where datasets are kept between the runs of a session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def harness(tmp_path: Path, cache: Path) -> Iterator[Harness]:
    """A harness that leaves no process behind."""
    harness = Harness(tmp_path, cache)
    yield harness
    harness.clean()
