"""Reports, held against the same figures counted in Python."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest
from sqlalchemy import text

from target_app import Config, create_app, database
from target_app.insights import patience, rfm
from target_app.models import db
from tests.support.accounts import Accounts
from tests.support.crm import Crm
from tests.support.databases import Databases

EPOCH = "2026-01-01T00:00:00.000000Z"
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def both(each_database: Path | str, accounts: Accounts) -> Iterator[Crm]:
    """The dataset on each database in turn, which these tests only read."""
    app = create_app(Config(database=each_database))
    app.testing = True
    yield Crm(app, accounts)
    with app.app_context():
        db.engine.dispose()


def report(crm: Crm, path: str) -> Any:
    answer = crm.of("marketing").get(f"/api/v1/reports/{path}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def orders(crm: Crm) -> Sequence[tuple[Any, ...]]:
    return crm.rows(
        "SELECT customer_id, placed_at, total_cents, currency FROM orders "
        "WHERE status <> 'cancelled'"
    )


def test_sales_are_those_of_each_month_and_currency(both: Crm) -> None:
    totals: dict[tuple[str, str], list[int]] = defaultdict(list)
    for _, placed_at, total, currency in orders(both):
        totals[placed_at[:7], currency].append(total)

    items = report(both, "sales?group=month")["items"]

    assert [(item["month"], item["currency"]) for item in items] == sorted(totals)
    for item in items:
        cents = totals[item["month"], item["currency"]]
        assert (item["orders"], item["revenue_cents"]) == (len(cents), sum(cents))
        assert abs(item["average_cents"] - sum(cents) / len(cents)) <= 0.5


def test_sales_may_begin_and_end_with_a_month(both: Crm) -> None:
    items = report(both, "sales")["items"]

    for first, last in (("2024-03", "2025-02"), ("2025-12", "2025-12")):
        within = [item for item in items if first <= item["month"] <= last]
        assert report(both, f"sales?from={first}&to={last}")["items"] == within
    assert report(both, "sales?from=2025-06")["items"] == [
        i for i in items if i["month"] > "2025-05"
    ]
    assert report(both, "sales?to=2024-06")["items"] == [i for i in items if i["month"] < "2024-07"]


@pytest.mark.parametrize(
    "query", ["from=2025-13", "from=2025", "to=x", "group=day", "x=1", "from=2025-02&to=2025-01"]
)
def test_what_sales_may_not_be_asked_for_is_refused(both: Crm, query: str) -> None:
    assert both.of("manager").get(f"/api/v1/reports/sales?{query}").status_code == 422


def test_segments_are_of_fifths_by_recency_frequency_and_value(both: Crm) -> None:
    of: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for customer, placed_at, total, _ in orders(both):
        of[customer].append((placed_at, total))
    measures: list[Callable[[int], Any]] = [
        lambda c: max(moment for moment, _ in of[c]),
        lambda c: len(of[c]),
        lambda c: sum(cents for _, cents in of[c]),
    ]
    scores: dict[int, list[int]] = {customer: [] for customer in of}
    larger, n = len(of) % 5, len(of) // 5  # ntile gives what is left over to the first
    sizes = [n + 1] * larger + [n] * (5 - larger)
    fifths = [score for score, size in enumerate(sizes, 1) for _ in range(size)]
    for measure in measures:
        ranked = sorted(of, key=lambda c: (measure(c), c))
        for customer, score in zip(ranked, fifths, strict=True):
            scores[customer].append(score)
    expected = Counter(rfm.segment(*score) for score in scores.values())

    found = report(both, "rfm")

    assert found["customers"] == len(of)
    assert {s["segment"]: s["customers"] for s in found["segments"]} == {
        name: expected[name] for name in rfm.SEGMENTS
    }
    assert found["segments"][0]["share"] == round(expected["champions"] / len(of), 4)


@pytest.mark.parametrize(
    ("scores", "segment"),
    [
        ((5, 5, 5), "champions"),
        ((4, 4, 3), "champions"),
        ((3, 5, 5), "loyal"),
        ((4, 3, 3), "promising"),
        ((5, 2, 1), "promising"),
        ((5, 1, 1), "new"),
        ((3, 3, 3), "needs_attention"),
        ((3, 1, 1), "needs_attention"),
        ((2, 3, 2), "at_risk"),
        ((1, 5, 5), "at_risk"),
        ((2, 2, 2), "lost"),
        ((1, 1, 1), "lost"),
    ],
)
def test_a_segment_is_named_by_its_scores(scores: tuple[int, int, int], segment: str) -> None:
    assert rfm.segment(*scores) == segment


def test_satisfaction_is_what_feedback_says(both: Crm) -> None:
    rows = both.rows("SELECT score, nps, created_at, first_response_at FROM feedback")
    scores = [score for score, *_ in rows if score is not None]
    nps = [value for _, value, *_ in rows if value is not None]
    second = datetime.fromisoformat
    waits = [
        (second(answered[:19]) - second(created[:19])).total_seconds()
        for *_, created, answered in rows
        if answered is not None
    ]

    found = report(both, "satisfaction")

    assert waits
    assert nps
    assert scores
    score = sum(value >= 9 for value in nps) - sum(value <= 6 for value in nps)
    assert found == {
        "feedback": len(rows),
        "csat": {"value": round(sum(s >= 4 for s in scores) / len(scores), 4), "n": len(scores)},
        "nps": {"value": round(100 * score / len(nps), 1), "n": len(nps)},
        "mean_score": {"value": round(mean(scores), 2), "n": len(scores)},
        "response_rate": {"value": round(len(waits) / len(rows), 4), "n": len(rows)},
        "first_response_s": {
            "median": median(waits), "mean": round(mean(waits), 1), "n": len(waits),
        },
    }  # fmt: skip


def test_retention_looks_back_from_the_epoch_of_the_dataset(both: Crm) -> None:
    moments: dict[int, list[datetime]] = defaultdict(list)
    for customer, placed_at, *_ in orders(both):
        moments[customer].append(datetime.fromisoformat(placed_at))
    end = datetime.fromisoformat(EPOCH)
    before = {c for c, m in moments.items() if any(end - 2 * YEAR < t <= end - YEAR for t in m)}
    last = {c for c, m in moments.items() if any(t > end - YEAR for t in m)}
    again = sum(len(m) > 1 for m in moments.values())

    found = report(both, "retention")

    assert before - last
    assert before & last
    assert found == {
        "now": EPOCH,
        "customers": len(moments),
        "repeat_rate": {"value": round(again / len(moments), 4), "n": len(moments)},
        "retention": {"value": round(len(before & last) / len(before), 4), "n": len(before)},
        "churn": {"value": round(len(before - last) / len(before), 4), "n": len(before)},
    }


def test_of_nothing_no_ratio_is_made(crm: Crm) -> None:
    with crm.app.app_context():
        for table in ("responses", "feedback", "order_items", "orders", "dataset"):
            db.session.execute(db.metadata.tables[table].delete())
        db.session.commit()
    nothing = {"value": None, "n": 0}

    assert report(crm, "sales")["items"] == []
    segments = report(crm, "rfm")["segments"]
    assert {(s["customers"], s["share"]) for s in segments} == {(0, None)}
    satisfaction = report(crm, "satisfaction")
    assert satisfaction["csat"] == satisfaction["nps"] == satisfaction["mean_score"] == nothing
    assert satisfaction["first_response_s"] == {"median": None, "mean": None, "n": 0}
    retention = report(crm, "retention")
    assert retention["now"] is None
    assert retention["repeat_rate"] == retention["retention"] == retention["churn"] == nothing


def test_without_a_dataset_the_present_is_the_latest_order(crm: Crm) -> None:
    with crm.app.app_context():
        db.session.execute(db.metadata.tables["dataset"].delete())
        db.session.commit()

    assert report(crm, "retention")["now"] == crm.one("SELECT max(placed_at) FROM orders")


@pytest.mark.slow
def test_a_report_may_take_longer_than_a_page(databases: Databases) -> None:
    nap, mistake = text("SELECT pg_sleep(0.5)"), text("SELECT 1 / 0")
    with databases.fresh("postgres") as url:
        # One connection, on which each request finds what the one before has left.
        app = create_app(Config(database=url, busy_timeout_ms=200, threads=1))
        app.add_url_rule("/page", "page", view_func=lambda: str(len(database.rows(nap))))
        app.add_url_rule("/report", "report", view_func=lambda: str(len(patience.rows(nap))))
        app.add_url_rule("/broken", "broken", view_func=lambda: str(patience.rows(mistake)))
        client = app.test_client()
        asked = ("page", "report", "page", "broken", "page", "report")
        statuses = [client.get(f"/{path}").status_code for path in asked]
        with app.app_context():
            db.engine.dispose()

    assert statuses == [503, 200, 503, 500, 503, 200]
