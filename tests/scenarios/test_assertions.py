"""The grammar of budgets: what parses, what it means, and what is said of the rest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.assertions import Metric, Severity, parse_assertion


@pytest.mark.parametrize(
    ("text", "metric", "operator", "limit"),
    [
        ("p(95) < 300ms", Metric.PERCENTILE, "<", 0.3),
        ("p(99.9)<=2s", Metric.PERCENTILE, "<=", 2.0),
        ("p(95)<500", Metric.PERCENTILE, "<", 0.5),  # k6: a bare number is ms
        ("med < 250us", Metric.MEDIAN, "<", 250e-6),
        ("avg < 1.5 s", Metric.MEAN, "<", 1.5),
        ("max < 1m", Metric.MAXIMUM, "<", 60.0),
        ("error_ratio < 1%", Metric.ERROR_RATIO, "<", 0.01),
        ("error_ratio <= 0", Metric.ERROR_RATIO, "<=", 0.0),
        ("availability >= 99.9%", Metric.AVAILABILITY, ">=", 0.999),
        ("throughput > 600/min", Metric.THROUGHPUT, ">", 10.0),
        ("throughput >= 50", Metric.THROUGHPUT, ">=", 50.0),
        ("apdex(500ms) > 0.85", Metric.APDEX, ">", 0.85),
        ("recovery_time < 10s", Metric.RECOVERY_TIME, "<", 10.0),
        ("drift(p(95)) < 5%", Metric.DRIFT, "<", 0.05),
        ("drift(memory) < 1%/h", Metric.DRIFT, "<", 0.01),
        ("capacity >= 100 users", Metric.CAPACITY, ">=", 100.0),
    ],
)
def test_every_form_of_the_grammar_parses(
    text: str, metric: Metric, operator: str, limit: float
) -> None:
    assertion = parse_assertion(text)

    assert (assertion.metric, assertion.operator) == (metric, operator)
    assert assertion.limit == pytest.approx(limit, rel=1e-12)
    assert assertion.severity is Severity.FAIL


def test_the_level_of_a_percentile_is_a_ratio_and_the_median_is_one_half() -> None:
    assert parse_assertion("p(99.9) < 1s").level == pytest.approx(0.999)
    assert parse_assertion("med < 1s").level == 0.5
    assert parse_assertion("avg < 1s").level is None


def test_a_warning_is_marked_and_its_text_is_without_the_mark() -> None:
    assertion = parse_assertion("warn:  p(99)   <  400ms")

    assert assertion.severity is Severity.WARN
    assert assertion.text == "p(99) < 400ms"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not parse"),
        ("p(95)", "does not parse"),
        ("p(95) < ", "does not parse"),
        ("p95 < 300ms", "no metric"),
        ("p() < 300ms", "a percentile is a number"),
        ("p(100) < 300ms", "between 0 and 100"),
        ("p(0) < 300ms", "between 0 and 100"),
        ("p(95) > 300ms", "not >"),
        ("p(95) == 300ms", "not =="),
        ("p(95) < 300 parsecs", "no time"),
        ("p(95) < fast", "not a number"),
        ("p(95) < 0ms", "above zero"),
        ("p(95) < -5ms", "above zero"),
        ("error_ratio < 101%", "between 0 and 1"),
        ("error_ratio > 1%", "must hold"),
        ("error_ratio(1) < 1%", "no metric"),
        ("availability < 99%", "must hold"),
        ("throughput > 5/fortnight", "no rate"),
        ("apdex > 0.9", "no metric"),
        ("apdex(fast) > 0.9", "not a number"),
        ("drift(mood) < 5%", "one of"),
        ("latency < 5ms", "p(N), med, avg"),
    ],
)
def test_what_does_not_parse_is_told_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_assertion(text)

    assert said in str(caught.value)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=60))
def test_no_text_does_worse_than_a_value_error(text: str) -> None:
    try:
        assertion = parse_assertion(text)
    except ValueError:
        return
    assert math.isfinite(assertion.limit)


@settings(derandomize=True, deadline=None)
@given(
    st.floats(0.001, 99.999, allow_nan=False).map(lambda level: f"{level:.3f}"),
    st.sampled_from(["us", "ms", "s", "m"]),
    st.integers(1, 10**6),
)
def test_the_text_of_an_assertion_parses_to_the_same_assertion(
    level: str, unit: str, number: int
) -> None:
    first = parse_assertion(f" p( {level} )<{number} {unit}")

    assert parse_assertion(first.text).limit == first.limit
    assert parse_assertion(first.text).level == first.level
    assert first.holds(first.limit / 2)
    assert not first.holds(first.limit)
