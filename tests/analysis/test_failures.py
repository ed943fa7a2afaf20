import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.autocorrelation import autocorrelation_time
from analysis.failures import error_ratio, outcome_counts, ratios_by_outcome
from analysis.recording.format import Outcome

repeatable = settings(derandomize=True, deadline=None)


def test_every_outcome_is_counted_even_those_not_seen() -> None:
    counts = outcome_counts(["ok", "timeout", "ok", "missed"])
    assert list(counts) == [outcome.label for outcome in Outcome]
    assert (counts["ok"], counts["timeout"], counts["missed"], counts["open"]) == (2, 1, 1, 0)
    assert sum(counts.values()) == 4


def test_a_column_of_a_frame_is_counted_as_well() -> None:
    column = pd.Series(["ok", "cancelled", "ok"]).astype("category")
    assert outcome_counts(column)["cancelled"] == 1
    assert sum(outcome_counts(column[column == "ok"]).values()) == 2
    assert sum(outcome_counts([]).values()) == 0


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'exploded'.*allowed: ok"):
        outcome_counts(["ok", "exploded"])


def test_none_bad_is_zero_with_a_bound_like_the_rule_of_three() -> None:
    estimate = error_ratio(np.zeros(1500, dtype=bool), confidence=0.90)
    assert (estimate.value, estimate.low, estimate.n_eff) == (0.0, 0.0, 1000.0)
    assert estimate.high == pytest.approx(2.706 / 1002.706, rel=1e-3)
    assert estimate.unit == "ratio"


def test_all_bad_is_one() -> None:
    estimate = error_ratio([True] * 10)
    assert (estimate.value, estimate.high) == (1.0, 1.0)


def test_cancelled_requests_do_not_count() -> None:
    estimate = error_ratio([True, False, False, False], [True, True, False, False])
    assert (estimate.value, estimate.n) == (0.5, 2)


def test_no_request_counted_is_no_ratio() -> None:
    assert error_ratio([]).value is None
    assert error_ratio([False], [False]).value is None


def test_the_interval_agrees_with_scipy_on_the_effective_size() -> None:
    bad = np.random.default_rng(1).random(1000) < 0.1
    estimate = error_ratio(bad)
    n_eff = 1000 / (1.5 * autocorrelation_time(bad))
    assert estimate.n_eff == pytest.approx(n_eff)
    z = float(stats.norm.ppf(0.975))
    p = float(bad.mean())
    half = z * np.sqrt(p * (1 - p) / n_eff + z**2 / (4 * n_eff**2))
    centre = p + z**2 / (2 * n_eff)
    assert estimate.low == pytest.approx((centre - half) / (1 + z**2 / n_eff))
    assert estimate.high == pytest.approx((centre + half) / (1 + z**2 / n_eff))


def test_errors_in_one_block_say_less_than_scattered_ones() -> None:
    block = np.zeros(2000, dtype=bool)
    block[500:600] = True
    scattered = np.zeros(2000, dtype=bool)
    scattered[::20] = True
    in_block, apart = error_ratio(block), error_ratio(scattered)
    assert in_block.value == apart.value == 0.05
    assert in_block.high is not None
    assert apart.high is not None
    assert in_block.high > 2 * apart.high


def test_intended_starts_give_the_order_back() -> None:
    rng = np.random.default_rng(2)
    block = np.arange(2000) < 200
    mixed = rng.permutation(2000)
    cancelled = rng.random(2000) < 0.1
    expected = error_ratio(block[~cancelled])
    assert error_ratio(block[mixed], ~cancelled[mixed], intended_s=mixed / 10.0) == expected


def test_the_interval_covers_where_errors_come_in_spells() -> None:
    # A two-state chain, a tenth of the time bad, spells of ten: tau = (1 + .889) / (1 - .889).
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        spells = np.column_stack([rng.geometric(1 / 90, 300), rng.geometric(1 / 10, 300)])
        state = np.repeat(np.tile([False, True], 300), spells.ravel())[1000:11_000]
        estimate = error_ratio(state)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 0.1 <= estimate.high
    assert held >= 82


@repeatable
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_the_ratio_lies_in_its_interval(bad: list[bool]) -> None:
    estimate = error_ratio(bad)
    assert estimate.value == pytest.approx(sum(bad) / len(bad))
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0 <= estimate.low <= sum(bad) / len(bad) <= estimate.high <= 1


def test_flags_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="one flag each"):
        error_ratio([True], [True, False])


def test_ratios_by_outcome_add_up_to_the_error_ratio() -> None:
    labels = ["ok"] * 900 + ["http_error"] * 60 + ["timeout"] * 30 + ["cancelled"] * 50
    outcomes = pd.Series(np.random.default_rng(3).permutation(labels), dtype="category")
    found = ratios_by_outcome(outcomes)
    assert list(found) == ["http_error", "timeout"]
    values = [e.value for e in found.values() if e.value is not None]
    assert values == pytest.approx([60 / 990, 30 / 990])
    bad = outcomes.isin(["http_error", "timeout"]).to_numpy()
    assert error_ratio(bad, (outcomes != "cancelled").to_numpy()).value == pytest.approx(
        sum(values)
    )
    for estimate in found.values():
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.value is not None
        assert 0 < estimate.low < estimate.value < estimate.high < 1


def test_where_nothing_went_wrong_there_are_no_ratios() -> None:
    assert ratios_by_outcome(pd.Series(["ok", "cancelled"], dtype="category")) == {}
