"""What processes used, added up by role and averaged over bins."""

from __future__ import annotations

import numpy as np

from analysis.usage import usage_of

MIB = 2**20
LINES = [
    {"t_s": 0.0, "role": "crm", "pid": 11, "pool_used": 1, "pool_size": 4, "in_flight": 2},
    {"t_s": 0.0, "role": "crm", "pid": 12, "pool_used": 3, "pool_size": 4, "in_flight": 0},
    {"t_s": 0.5, "role": "target", "pid": 10, "cpu": None, "rss": 10 * MIB},
    {"t_s": 0.5, "role": "target", "pid": 11, "cpu": None, "rss": 30 * MIB},
    {"t_s": 1.5, "role": "target", "pid": 10, "cpu": 0.1, "rss": 10 * MIB},
    {"t_s": 1.5, "role": "target", "pid": 11, "cpu": 0.6, "rss": 50 * MIB},
    {"t_s": 3.5, "role": "generator", "pid": 9, "cpu": 0.2, "rss": 5 * MIB},
    {"t_s": 9.5, "role": "generator", "pid": 9, "cpu": 0.9, "rss": 5 * MIB},
]


def test_processes_of_a_role_are_added_up_and_seconds_averaged() -> None:
    usage = usage_of(LINES, length_s=4.0, width_s=2.0)

    np.testing.assert_allclose(usage.memory_mib["target"], [50.0, np.nan])
    np.testing.assert_allclose(usage.cpu_cores["target"], [0.7, np.nan])
    np.testing.assert_allclose(usage.cpu_cores["generator"], [np.nan, 0.2])
    np.testing.assert_allclose(usage.pool_used, [4.0, np.nan])
    np.testing.assert_allclose(usage.pool_size, [8.0, np.nan])
    np.testing.assert_allclose(usage.in_service, [2.0, np.nan])
    assert list(usage.cpu_cores) == ["target", "generator"]


def test_a_run_that_nobody_watched_has_no_roles() -> None:
    usage = usage_of([], length_s=3.0, width_s=1.0)

    assert (usage.cpu_cores, usage.memory_mib) == ({}, {})
    assert np.isnan(usage.pool_used).all()
    assert len(usage.middle_s) == 3
