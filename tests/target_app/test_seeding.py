import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest

from target_app import seeding
from target_app.models import Base
from target_app.seeding import shapes
from target_app.seeding.compose import compose
from target_app.seeding.pools import FOREIGN

# All seeds are fixed. The bounds are those of 4 standard errors nevertheless (a right program with
# another seed, or another numpy, would break one in 15,000), so that they mean something.
N = 20_000
SIGMAS = 4.0


@pytest.fixture
def rows(dataset: seeding.Found) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{dataset.database}?mode=ro&immutable=1", uri=True)
    yield connection
    connection.close()


def test_orders_per_customer_have_the_stated_mean_and_share_of_none() -> None:
    counts = shapes.orders_per_customer(np.random.default_rng(1), N)

    k, mean = 0.55, 3.0
    assert abs(counts.mean() - mean) < SIGMAS * np.sqrt((mean + mean**2 / k) / N)
    none = (k / (k + mean)) ** k
    assert none == pytest.approx(0.36, abs=0.005)
    assert abs((counts == 0).mean() - none) < SIGMAS * np.sqrt(none * (1 - none) / N)


def test_a_few_customers_place_most_of_the_orders() -> None:
    counts = np.sort(shapes.orders_per_customer(np.random.default_rng(2), N))

    assert 0.60 < counts[-N // 5 :].sum() / counts.sum() < 0.74


def test_scores_have_the_shape_of_a_j() -> None:
    scores = shapes.scores(np.random.default_rng(3), N)

    shares = np.bincount(scores, minlength=6)[1:] / N
    for share, expected in zip(shares, shapes.SCORES, strict=True):
        assert abs(share - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / N)
    assert shares[4] > shares[3] > shares[2] > shares[1] < shares[0]


def test_text_lengths_are_lognormal_and_cut_where_the_form_cuts() -> None:
    lengths = shapes.text_lengths(np.random.default_rng(4), N)

    # The median of n draws has a standard error of 1.2533 sigma / sqrt(n) on the logarithm.
    error = SIGMAS * 1.2533 * shapes.TEXT_SIGMA / np.sqrt(N)
    assert abs(np.log(np.median(lengths) / shapes.TEXT_MEDIAN)) < error + 1 / shapes.TEXT_MEDIAN
    assert lengths.max() == 500
    assert lengths.min() >= 5


def test_orders_have_one_to_five_items() -> None:
    items = shapes.items_per_order(np.random.default_rng(5), N)

    assert set(np.unique(items)) == {1, 2, 3, 4, 5}
    assert abs(items.mean() - 2.5) < SIGMAS * items.std() / np.sqrt(N)


def test_moments_lie_in_the_past_of_the_epoch_and_mostly_in_office_hours() -> None:
    moments = shapes.moments(np.random.default_rng(6), np.full(N, 365))

    epoch = shapes.EPOCH.astype(np.int64)
    day = 24 * 3600 * 10**6
    assert moments.max() < epoch
    assert moments.min() >= epoch - 366 * day
    hours = moments // (3600 * 10**6) % 24
    assert ((hours >= 8) & (hours < 18)).mean() > 0.6
    weekday = (moments // day + 3) % 7
    shares = np.bincount(weekday, minlength=7) / N
    assert np.abs(shares - [0.16, 0.17, 0.17, 0.16, 0.15, 0.10, 0.09]).max() < 0.02


def test_every_total_is_the_sum_of_its_items(rows: sqlite3.Connection) -> None:
    wrong = rows.execute(
        "SELECT o.id FROM orders o LEFT JOIN order_items i ON i.order_id = o.id GROUP BY o.id "
        "HAVING o.total_cents != sum(i.qty * i.unit_price_cents) OR count(i.id) NOT BETWEEN 1 AND 5"
    ).fetchall()

    assert wrong == []


def test_every_row_refers_to_rows_that_exist(rows: sqlite3.Connection) -> None:
    assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
    assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_nobody_orders_before_he_is_known_nor_after_the_epoch(rows: sqlite3.Connection) -> None:
    early = "SELECT count(*) FROM orders o JOIN customers c ON c.id = customer_id WHERE {}"
    assert rows.execute(early.format("placed_at < c.created_at")).fetchone() == (0,)
    late = "placed_at >= '2026-01-01' OR c.created_at >= '2026-01-01'"
    assert rows.execute(early.format(late)).fetchone() == (0,)


def test_newer_rows_have_higher_ids(rows: sqlite3.Connection) -> None:
    for table, moment in [("customers", "created_at"), ("orders", "placed_at")]:
        moments = [m for (m,) in rows.execute(f"SELECT {moment} FROM {table} ORDER BY id")]
        assert moments == sorted(moments)


def test_feedback_fits_the_form_and_is_not_all_english() -> None:
    content = compose(N // 2, 1)[0]["feedback"]["content"]

    assert len(content) == round(0.35 * N / 2)
    assert all(1 <= len(text) <= 500 for text in content)
    foreign = np.mean([text[:3] in {f[:3] for f in FOREIGN[:5]} for text in content])
    assert 0.002 < foreign < 0.02


def test_every_index_of_the_models_is_there(rows: sqlite3.Connection) -> None:
    there = {name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type='index'")}

    assert there == {i.name for t in Base.metadata.sorted_tables for i in t.indexes}
