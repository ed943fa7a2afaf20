"""What the manifest says comes out of the rows, within sampling error.

Seeds are fixed. The bounds are those of 4.5 standard errors nevertheless, or of a probability of
one in 100,000: a right program with another seed or another numpy stays within them.
"""

import math
import unicodedata
from typing import Any

import numpy as np
import pytest
from scipy import stats

from target_app.rules import Email, Refused
from target_app.seeding import calendar, texts
from target_app.seeding.columns import Ints
from target_app.seeding.customers import DEFECTS
from tests.target_app.seeding.conftest import Composed

SIGMAS = 4.5
UNLIKELY = 1e-5


def close(share: float, expected: float, size: int) -> bool:
    return abs(share - expected) <= SIGMAS * math.sqrt(expected * (1 - expected) / size)


def fits(found: Ints, expected: Any) -> bool:
    """Pearson's test: the counts are those expected."""
    expected = np.asarray(expected, float) * found.sum() / np.sum(expected)
    statistic = np.sum((found - expected) ** 2 / expected)
    return bool(statistic < stats.chi2.isf(UNLIKELY, len(found) - 1))


@pytest.mark.parametrize(
    ("table", "truth"),
    [("orders", "orders_per_customer"), ("activities", "activities_per_customer")],
)
def test_counts_per_customer_come_out_as_stated(rows: Composed, table: str, truth: str) -> None:
    size = rows.manifest.rows["customers"]
    counts = np.bincount(rows.numbers(table, "customer_id"), minlength=size + 1)[1:]
    stated = rows.manifest.truths[truth]
    mean, k = stated["mean"], stated["k"]

    assert abs(counts.mean() - mean) < SIGMAS * np.sqrt((mean + mean**2 / k) / size)
    assert close((counts == 0).mean(), stated["none"], size)
    customers = counts[counts > 0]
    assert close((customers > 1).mean(), stated["repeat_rate"], customers.size)
    # The closed forms themselves, against another implementation.
    other = stats.nbinom(k, k / (k + mean))
    assert stated["none"] == pytest.approx(other.pmf(0), abs=1e-6)
    assert stated["repeat_rate"] == pytest.approx(other.sf(1) / other.sf(0), abs=1e-6)


def test_a_few_customers_place_most_of_the_orders(rows: Composed) -> None:
    counts = np.sort(np.bincount(rows.numbers("orders", "customer_id"), minlength=10_001)[1:])

    assert 0.62 < counts[-2000:].sum() / counts.sum() < 0.72  # 67 %


def test_orders_have_one_to_five_items(rows: Composed) -> None:
    items = np.bincount(rows.numbers("order_items", "order_id"))[1:]

    assert fits(np.bincount(items)[1:], rows.manifest.truths["items_per_order"])


def test_some_products_sell_far_better_than_others(rows: Composed) -> None:
    size = rows.manifest.rows["products"]
    sold = np.bincount(rows.numbers("order_items", "product_id"), minlength=size + 1)[1:]
    weights = 1 / np.arange(1, size + 1) ** rows.manifest.truths["product_popularity"]["exponent"]

    top = weights[:10].sum() / weights.sum()
    assert abs(np.sort(sold)[-10:].sum() / sold.sum() - top) < 0.02


def test_scores_have_the_shape_of_a_j(rows: Composed) -> None:
    found = np.bincount(rows.numbers("feedback", "score"))[1:]

    assert fits(found, rows.manifest.truths["scores"])
    assert found[4] > found[3] > found[2] > found[1] < found[0]


def test_texts_are_lognormal_and_cut_where_the_form_cuts(rows: Composed) -> None:
    lengths = np.array([len(text) for text in rows.column("feedback", "content")])

    # The median of n draws has a standard error of 1.2533 sigma / sqrt(n) on the logarithm; and a
    # text ends with a word, so up to some characters earlier or later.
    error = SIGMAS * 1.2533 * texts.SIGMA / np.sqrt(lengths.size)
    assert abs(np.log(np.median(lengths) / texts.MEDIAN)) < error + 3 / texts.MEDIAN
    spread = np.log(np.quantile(lengths, 0.84) / np.quantile(lengths, 0.16)) / 2
    assert spread == pytest.approx(texts.SIGMA, abs=0.06)
    assert lengths.max() <= 500
    assert lengths.min() >= 1
    assert close((lengths > 480).mean(), stats.norm.sf(np.log(4) / texts.SIGMA), lengths.size)


def test_texts_are_not_all_english(rows: Composed) -> None:
    found = [text for text in rows.column("activities", "body") if text is not None]
    kinds = [kind_of(text) for text in found]

    for kind, share in rows.manifest.truths["foreign_texts"].items():
        assert close(kinds.count(kind) / len(found), share, len(found))


def kind_of(text: str) -> str:
    if text.isascii():
        return "latin"
    if any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text):
        return "rtl"
    if any(ord(character) >= 0x1F000 for character in text):
        return "emoji"
    names = (unicodedata.name(character, "") for character in text)
    if any(name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for name in names):
        return "cjk"
    return "latin"


@pytest.mark.parametrize(("table", "moment", "season"), [
    ("orders", "placed_at", True), ("activities", "occurred_at", False),
])  # fmt: skip
def test_days_have_their_season_weekday_and_growth(
    rows: Composed, table: str, moment: str, season: bool
) -> None:
    days = (rows.moments(table, moment) - calendar.START) // calendar.DAY_US
    created = calendar.next_day(rows.moments("customers", "created_at"))
    since = created[rows.numbers(table, "customer_id") - 1]
    # Each was drawn from the days after the customer's first: the sum of what each might be.
    weights = calendar.day_weights(season=season)
    left = np.cumsum(weights[::-1])[::-1]
    expected = weights * np.cumsum(np.bincount(since, minlength=calendar.HISTORY_DAYS) / left)
    found = np.bincount(days, minlength=calendar.HISTORY_DAYS)
    dates = (calendar.START // calendar.DAY_US + np.arange(found.size)).astype("datetime64[D]")
    weekday = (dates.astype(np.int64) + 3) % 7
    month = dates.astype("datetime64[M]").astype(np.int64)

    assert (days >= since).all()
    for part in (weekday, month - month[0]):
        assert fits(np.bincount(part, found).astype(np.int64), np.bincount(part, expected))


def test_customers_come_faster_each_year_and_more_on_weekdays(rows: Composed) -> None:
    days = (rows.moments("customers", "created_at") - calendar.START) // calendar.DAY_US
    years = np.bincount(days // 365)
    weekday = (days + calendar.START // calendar.DAY_US + 3) % 7

    assert fits(years, calendar.GROWTH ** np.arange(3))
    assert fits(np.bincount(weekday), rows.manifest.truths["weekdays"])


def test_hours_are_those_of_offices(rows: Composed) -> None:
    hours = rows.moments("orders", "placed_at") // (3600 * 10**6) % 24

    assert fits(np.bincount(hours), rows.manifest.truths["hours"])


def test_defects_are_there_as_often_as_stated(rows: Composed) -> None:
    size = rows.manifest.rows["customers"]
    phones = rows.column("customers", "phone")
    people = list(zip(rows.column("customers", "name"), phones, strict=True))
    known = [person for person in people if person[1] is not None]
    found = {
        "missing_phone": phones.count(None),
        "duplicate_person": len(known) - len(set(known)),
        "bad_email": sum(map(is_refused, rows.column("customers", "email"))),
    }

    assert rows.manifest.defects == {
        kind: {"rate": rate, "count": found[kind]} for kind, rate in DEFECTS.items()
    }
    for kind, rate in DEFECTS.items():
        assert close(found[kind] / size, rate, size)


def is_refused(email: str) -> bool:
    try:
        return Email(254)(email) != email
    except Refused:
        return True


def test_duplicates_have_everything_but_the_address(rows: Composed) -> None:
    columns = [rows.column("customers", n) for n in ("name", "phone", "company", "email")]
    seen: dict[tuple[str, str], tuple[str | None, str]] = {}
    for name, phone, company, email in zip(*columns, strict=True):
        if phone is not None and (name, phone) in seen:
            assert seen[name, phone][0] == company
            assert seen[name, phone][1] != email
        seen[name, phone] = (company, email)


def test_one_customer_in_a_hundred_belongs_to_nobody(rows: Composed) -> None:
    owners = rows.column("customers", "owner_id")

    assert close(owners.count(None) / len(owners), 0.01, len(owners))
    owned = np.array([owner for owner in owners if owner is not None])
    assert fits(np.bincount(owned)[1:], np.ones(50))
