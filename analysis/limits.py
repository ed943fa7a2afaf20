"""Limits of assertions, in the unit in which their metric is measured."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.assertions import Assertion, Metric

UNITS: Mapping[Metric, str] = {
    Metric.ERROR_RATIO: "ratio",
    Metric.AVAILABILITY: "ratio",
    Metric.APDEX: "ratio",
    Metric.DRIFT: "ratio",
    Metric.THROUGHPUT: "1/s",
    Metric.CAPACITY: "users",
    Metric.RECOVERY_TIME: "s",
}
"""Unit of what is measured; milliseconds where nothing is said."""


def unit_of(assertion: Assertion) -> str:
    """Name the unit in which an assertion is measured.

    Parameters
    ----------
    assertion : Assertion
        Any.

    Returns
    -------
    str
        As an Estimate has it.
    """
    return UNITS.get(assertion.metric, "ms")


def limit_of(assertion: Assertion) -> float:
    """Give an assertion's limit in the unit in which it is measured.

    Parameters
    ----------
    assertion : Assertion
        Any.

    Returns
    -------
    float
        The limit in :func:`unit_of` it.
    """
    return assertion.limit * 1e3 if unit_of(assertion) == "ms" else assertion.limit
