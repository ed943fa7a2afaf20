"""Fixtures of the load tests."""

from __future__ import annotations

import os

# The engine patches the process that imports it, which must not be the test process.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401 - only to have it imported unpatched

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]
