import hashlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from werkzeug.security import check_password_hash

from target_app import seeding
from target_app.rules import Email
from target_app.seeding import accounts
from tests.target_app.seeding.conftest import Composed

pytestmark = pytest.mark.costly  # datasets are made

ROLES = ("sales", "support", "marketing", "manager", "portal")


def test_every_account_is_in_the_database_with_its_token(dataset: seeding.Found) -> None:
    password, people = accounts.read_accounts(dataset.accounts)
    connection = sqlite3.connect(dataset.database)
    users = {row[0]: row for row in connection.execute("SELECT * FROM users")}
    tokens = connection.execute("SELECT user_id, token_sha256, scopes, expires_at FROM api_tokens")
    of_user = {user: rest for user, *rest in tokens}
    columns = [c[1] for c in connection.execute("PRAGMA table_info(users)")]
    connection.close()

    assert password == "trueload-1"
    assert len(people) == len(users) == len(of_user) == 5 * 500 + 4
    for one in people:
        row = dict(zip(columns, users[one.id], strict=True))
        assert (row["email"], row["name"], row["role"]) == (one.email, one.name, one.role)
        assert row["customer_id"] == one.customer_id
        assert row["is_active"] == (one.note != "deactivated")
        digest, scopes, expires = of_user[one.id]
        assert digest == hashlib.sha256(one.token.encode()).hexdigest()
        assert scopes == one.scopes
        assert (expires < "2026-01-01") == (one.note == "expired")
    assert len({row[4] for row in users.values()}) == 1  # hashed once: it takes a tenth of a second
    assert check_password_hash(users[1][4], password)


def test_no_two_accounts_share_anything(dataset: seeding.Found) -> None:
    _, people = accounts.read_accounts(dataset.accounts)

    assert len({one.token for one in people}) == len(people)
    assert len({one.email for one in people}) == len(people)
    assert all(Email(254)(one.email) == one.email for one in people)
    assert all(one.token.startswith("crm_") and len(one.token) == 44 for one in people)


def test_each_role_has_its_range_of_ids_and_the_unusual_come_last(rows: Composed) -> None:
    roles = rows.column("users", "role")

    assert roles[:250] == [role for role in ROLES for _ in range(50)]
    assert roles[250:] == ["admin", "sales", "sales", "sales"]


def test_portal_accounts_are_customers_each_of_its_own_while_there_are_enough(
    rows: Composed, chinese: Composed, dataset: seeding.Found
) -> None:
    for of, most in ((rows, 1), (chinese, 1)):
        customers = [c for c in of.column("users", "customer_id") if c is not None]
        assert max(Counter(customers).values()) == most
    _, people = accounts.read_accounts(dataset.accounts)  # 500 accounts, 300 customers
    shared = Counter(one.customer_id for one in people if one.role == "portal")
    assert len(shared) == 300
    assert set(shared.values()) == {1, 2}


def test_the_unusual_ones_say_so(dataset: seeding.Found) -> None:
    _, people = accounts.read_accounts(dataset.accounts)

    assert {one.note: one.scopes for one in people if one.note} == {
        "expired": "read write", "read-only": "read", "deactivated": "read write",
    }  # fmt: skip


def test_only_the_owner_may_read_the_file(dataset: seeding.Found) -> None:
    assert dataset.accounts.stat().st_mode & 0o777 == 0o600
    head, first, *_ = dataset.accounts.read_text().splitlines()
    assert json.loads(head) == {"format": 1, "password": "trueload-1"}
    assert set(json.loads(first)) == {
        "id", "role", "email", "name", "customer_id", "token", "scopes",
    }  # fmt: skip


def test_tokens_follow_from_the_seed() -> None:
    assert accounts.token_of(1, 1) == accounts.token_of(1, 1)
    tokens = {accounts.token_of(seed, user) for seed in range(20) for user in range(1, 20)}
    assert len(tokens) == 20 * 19


@pytest.mark.parametrize("broken", ["", "{}", "[]\n", '{"password": "x"}\n{"id": 1}\n', "nothing"])
def test_a_broken_file_is_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "accounts.jsonl"
    path.write_text(broken)

    with pytest.raises(ValueError, match=r"accounts\.jsonl: no file of accounts"):
        accounts.read_accounts(path)
