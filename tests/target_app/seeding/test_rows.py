import sqlite3
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from target_app import seeding
from target_app.folding import fold
from target_app.models import Base
from target_app.seeding.columns import NULL, Choices, Moments, Numbers, Texts
from tests.target_app.seeding.conftest import Composed, composed

pytestmark = pytest.mark.costly  # datasets are made

MOMENTS = {
    "customers": "created_at", "orders": "placed_at", "activities": "occurred_at",
    "feedback": "created_at", "responses": "created_at",
}  # fmt: skip


@pytest.fixture
def file(dataset: seeding.Found) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{dataset.database}?mode=ro&immutable=1", uri=True)
    yield connection
    connection.close()


def test_every_total_is_the_sum_of_its_items(file: sqlite3.Connection) -> None:
    wrong = file.execute(
        "SELECT o.id FROM orders o LEFT JOIN order_items i ON i.order_id = o.id GROUP BY o.id "
        "HAVING o.total_cents != sum(i.qty * i.unit_price_cents) OR count(i.id) NOT BETWEEN 1 AND 5"
    ).fetchall()

    assert wrong == []


def test_every_row_refers_to_rows_that_exist(file: sqlite3.Connection) -> None:
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    orphans = "SELECT count(*) FROM users WHERE customer_id NOT IN (SELECT id FROM customers)"
    assert file.execute(orphans).fetchone() == (0,)


def test_every_index_of_the_models_is_there(file: sqlite3.Connection) -> None:
    there = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type='index'")}

    assert there == {i.name for t in Base.metadata.sorted_tables for i in t.indexes}


def test_newer_rows_have_higher_ids(rows: Composed) -> None:
    for table, moment in MOMENTS.items():
        moments = rows.column(table, moment)
        assert all(a <= b for a, b in pairwise(moments)), table
        assert rows.column(table, "id") == list(range(1, len(moments) + 1))
        assert moments[-1] < rows.manifest.recipe.epoch


def test_nobody_does_anything_before_he_is_known(rows: Composed) -> None:
    created = rows.column("customers", "created_at")
    for table in ("orders", "activities", "feedback"):
        customers = rows.column(table, "customer_id")
        for customer, at in zip(customers, rows.column(table, MOMENTS[table]), strict=True):
            assert customer is None or created[customer - 1] < at


def test_what_a_customer_does_has_the_owner_of_the_customer(rows: Composed) -> None:
    owners = rows.column("customers", "owner_id")
    for table in ("orders", "feedback"):
        customers, owned = rows.column(table, "customer_id"), rows.column(table, "owner_id")
        assert owned == [None if c is None else owners[c - 1] for c in customers]


def test_feedback_is_answered_after_it_came_and_before_the_epoch(rows: Composed) -> None:
    names = ("status", "created_at", "first_response_at", "resolved_at", "assigned_to")
    columns = [rows.column("feedback", name) for name in names]
    for status, created, answered, resolved, assigned in zip(*columns, strict=True):
        assert (answered is None) == (status == "new") == (assigned is None)
        assert (resolved is not None) == (status == "resolved")
        moments = [created, answered or created, resolved or answered or created]
        assert moments == sorted(moments)
        assert moments[-1] < rows.manifest.recipe.epoch
    answered_at = [at for at in columns[2] if at is not None]
    assert sorted(answered_at) == rows.column("responses", "created_at")


@pytest.mark.parametrize("locale", ["en_US", "zh_CN"])
def test_keys_are_folded_names(rows: Composed, chinese: Composed, locale: str) -> None:
    of = rows if locale == "en_US" else chinese
    for column in ("name", "company"):
        texts = of.column("customers", column)
        folded = [text if text is None else fold(text) for text in texts]
        assert of.column("customers", f"{column}_key") == folded


def test_texts_fit_their_columns(rows: Composed, chinese: Composed) -> None:
    for of in (rows, chinese):
        for name, columns in of.tables.items():
            for column, values in columns.items():
                longest = getattr(Base.metadata.tables[name].c[column].type, "length", None)
                if longest:
                    assert all(v is None or 0 < len(v.strip()) <= longest for v in values), column


def test_chinese_datasets_are_chinese(chinese: Composed) -> None:
    names = chinese.column("customers", "name")
    assert all(2 <= len(name) <= 6 and " " not in name for name in names)
    assert all(name >= "一" for name in names)
    assert all(email.isascii() for email in chinese.column("customers", "email"))
    phones = [phone for phone in chinese.column("customers", "phone") if phone]
    assert sum(phone.startswith("+86 1") for phone in phones) / len(phones) > 0.9
    assert {"CN"} < set(chinese.column("customers", "country")) <= {"CN", "HK", "TW", "SG"}
    chars = "".join(chinese.column("feedback", "content"))
    assert sum("一" <= character <= "鿿" for character in chars) / len(chars) > 0.8


def test_addresses_are_all_different(rows: Composed, chinese: Composed) -> None:
    for of in (rows, chinese):
        for table in ("customers", "users"):
            emails = of.column(table, "email")
            assert len(set(emails)) == len(emails)
            assert all(email == email.lower() for email in emails)


def test_each_table_has_a_random_stream_of_its_own(rows: Composed) -> None:
    other = composed(customers=10_000, seed=1, accounts=3)
    hashes, mine = other.manifest.table_hashes, rows.manifest.table_hashes

    # Accounts change who owns, calls and answers, and nothing else.
    assert {name for name in mine if mine[name] == hashes[name]} == {"products", "order_items"}
    orders = rows.tables["orders"], other.tables["orders"]
    assert {name for name in orders[0] if orders[0][name] != orders[1][name]} == {"owner_id"}


def test_no_customer_is_too_few() -> None:
    smallest = composed(customers=1, seed=4, accounts=1)

    assert smallest.manifest.rows["customers"] == 1
    assert set(smallest.manifest.rows) >= {"orders", "order_items", "responses"}


@pytest.mark.parametrize(
    ("column", "values", "copied"),
    [
        (Numbers(np.array([1, NULL, -3])), [1, None, -3], ["1", "\\N", "-3"]),
        (Numbers(np.array([True, False])), [True, False], ["1", "0"]),
        (
            Moments(np.array([1_767_225_599_999_999, NULL, 951_782_400_000_000])),
            ["2025-12-31T23:59:59.999999Z", None, "2000-02-29T00:00:00.000000Z"],
            ["2025-12-31T23:59:59.999999Z", "\\N", "2000-02-29T00:00:00.000000Z"],
        ),
        (
            Choices(np.array([1, -1, 0]), np.array(["a\tb", "ü"], object)),
            ["ü", None, "a\tb"],
            ["ü", "\\N", "a\\tb"],
        ),
        (
            Texts(["a\\b\n", None, "", "\r"]),
            ["a\\b\n", None, "", "\r"],
            ["a\\\\b\\n", "\\N", "", "\\r"],
        ),
    ],
)  # fmt: skip
def test_columns_give_the_same_in_every_form(column, values, copied) -> None:  # type: ignore[no-untyped-def]
    assert list(column.values()) == values
    assert list(column.copied()) == copied
    assert len(column) == len(values)
    if not isinstance(column, Numbers):
        assert column.hashed() == Texts(values).hashed()
    assert list(column.part(slice(1, 2)).values()) == values[1:2]
