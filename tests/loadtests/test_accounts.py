"""Each virtual user is somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.pool import Group
from locust.env import Environment

from loadtests.generator.accounts import Accounts, read_accounts
from loadtests.generator.personas import most_at_once, persona_users
from scenarios.errors import UsageError
from scenarios.loading import parse_scenario
from scenarios.model import Scenario
from tests.support.sending import sending_to
from tests.support.talk import until

ROWS = {"products": 10}


def write(tmp_path: Path, *, sales: int, portal: int) -> Path:
    """A file of accounts as the CRM's seeding writes it."""
    people = [("sales", None)] * sales + [("portal", 5)] * portal
    lines: list[dict[str, object]] = [{"format": 1, "password": "hidden"}]
    lines += [
        {
            "id": key,
            "role": role,
            "customer_id": customer,
            "token": f"crm_{key}",
            "email": f"{key}@crm.example",
            "name": "Ann",
        }
        for key, (role, customer) in enumerate(people, start=1)
    ]
    lines.append({"id": 99, "role": "sales", "customer_id": None, "token": "t", "note": "expired"})
    path = tmp_path / "accounts.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def scenario(*levels: int, **mix: float) -> Scenario:
    stages = [{"users": users, "hold": "5s"} for users in levels]
    return parse_scenario({"load": {"mix": mix, "stages": stages}}, name="test", folder=None)


def test_accounts_are_handed_out_once_and_again_when_they_are_given_back(tmp_path: Path) -> None:
    accounts = read_accounts(write(tmp_path, sales=2, portal=1))
    first, second = accounts.take("sales"), accounts.take("sales")

    assert {first.id, second.id} == {1, 2}
    with pytest.raises(UsageError, match="sales"):
        accounts.take("sales")
    accounts.give_back(second)
    assert accounts.take("sales") == second
    assert accounts.take("portal").customer_id == 5


def test_generator_processes_share_the_accounts_of_each_role_out(tmp_path: Path) -> None:
    path = write(tmp_path, sales=7, portal=4)
    shards = [read_accounts(path, (index, 3)) for index in range(3)]
    dealt = [
        [shard.take(role).id for _ in range(shard.count(role))]
        for role in ("sales", "portal")
        for shard in shards
    ]

    assert dealt == [[1, 4, 7], [2, 5], [3, 6], [8, 11], [9], [10]]
    assert {shard.password for shard in shards} == {"hidden"}


def test_each_process_needs_accounts_for_its_own_users_alone(tmp_path: Path) -> None:
    path, mix = write(tmp_path, sales=5, portal=5), {"sales_rep": 1.0, "portal_customer": 1.0}

    def users(count: int, process: int) -> object:
        return persona_users(
            scenario(count, **mix), process=process, processes=2, run="r", accounts=path, rows=ROWS
        )

    # The engine goes through processes and classes in turn: with two of each, all users of
    # a class are in one process.
    assert users(6, 0)  # three of five accounts are its own
    assert users(4, 1)
    with pytest.raises(UsageError, match="3 users of each generator process as sales_rep, and 2"):
        users(6, 1)


def test_in_the_open_model_users_are_shared_out_by_arrivals_with_some_to_spare(
    tmp_path: Path,
) -> None:
    path, pool = write(tmp_path, sales=100, portal=100), 50
    document = {
        "load": {
            "model": "open",
            "mix": {"sales_rep": 99.0, "portal_customer": 1.0},
            "max_users": pool,
            "stages": [{"rate": 10, "hold": "5s"}],
        }
    }
    asked = parse_scenario(document, name="test", folder=None)
    users = persona_users(asked, process=0, run="r", accounts=path, rows=ROWS)
    most = {user.persona_name: user.fixed_count for user in users}

    # some .7 % of the arrivals are the portal's: less than half a user's worth
    assert most == {"sales_rep": 48, "portal_customer": 2}


def test_an_account_that_something_is_unusual_about_is_nobodys(tmp_path: Path) -> None:
    assert read_accounts(write(tmp_path, sales=2, portal=0)).count("sales") == 2


def test_an_account_does_not_show_its_token(tmp_path: Path) -> None:
    account = read_accounts(write(tmp_path, sales=1, portal=0)).take("sales")

    assert account.token == "crm_1"
    assert "crm_1" not in repr(account)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2}', '{"format": 1}\n{"id": 1}', '{"format": 1}\nsecret']
)
def test_a_file_that_holds_no_accounts_is_refused_without_repeating_it(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "accounts.jsonl"
    path.write_text(text)

    with pytest.raises(UsageError, match="no file of accounts") as caught:
        read_accounts(path)
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read"):
        read_accounts(tmp_path / "nowhere.jsonl")


def test_more_users_than_accounts_are_refused_with_the_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, sales=3, portal=1)
    mix = {"sales_rep": 1.0, "portal_customer": 1.0}

    with pytest.raises(UsageError, match="2 users as portal_customer, and 1 accounts of the role"):
        persona_users(scenario(4, **mix), process=0, run="r", accounts=path, rows=ROWS)
    assert persona_users(scenario(2, **mix), process=0, run="r", accounts=path, rows=ROWS)


def test_the_most_of_each_class_is_what_the_engine_will_run(tmp_path: Path) -> None:
    path = write(tmp_path, sales=100, portal=100)
    levels = (10, 40, 15, 60)
    users = persona_users(
        scenario(*levels, sales_rep=9, portal_customer=4),
        process=0,
        run="r",
        accounts=path,
        rows=ROWS,
    )
    most = {user.persona_name: count for user, count in most_at_once(users, list(levels)).items()}

    assert most == {"sales_rep": pytest.approx(60 * 9 / 13, abs=1), "portal_customer": 60 - 42 + 1}


def people(tmp_path: Path, *, accounts: int) -> Any:
    """The class of sales representatives that have so many accounts, and what it warns of."""
    (kind,) = persona_users(
        scenario(accounts, sales_rep=1),
        process=0,
        run="r",
        accounts=write(tmp_path, sales=accounts, portal=0),
        rows=ROWS,
    )
    warnings: list[str] = []
    kind.sending, _ = sending_to("http://127.0.0.1:9", warnings=warnings)
    return kind, warnings


def test_a_user_for_whom_no_account_is_left_waits_until_another_has_ended(tmp_path: Path) -> None:
    kind, warnings = people(tmp_path, accounts=1)
    group, environment = Group(), Environment()
    first, second = kind(environment), kind(environment)
    held = first.account
    first.start(group)
    second.start(group)
    gevent.sleep(0.02)
    assert [text for text in warnings if "no free account of the role sales" in text]
    with pytest.raises(RuntimeError, match="without an account"):
        _ = second.account

    first.stop(force=True)
    until(lambda: second._account is held)
    assert second._token == {"Authorization": f"Bearer {held.token}"}
    group.kill()
    until(lambda: kind.accounts.count("sales") == 1)


def test_a_user_that_is_ended_before_it_ran_gives_its_account_back(tmp_path: Path) -> None:
    kind, warnings = people(tmp_path, accounts=2)
    users = [kind(Environment()) for _ in range(2)]
    for user in users:
        user.start(Group())
        user._greenlet.kill(block=False)
    until(lambda: kind.accounts.count("sales") == 2)
    assert warnings == []


def test_a_user_that_is_to_leave_does_not_wait_for_an_account(tmp_path: Path) -> None:
    kind, _ = people(tmp_path, accounts=1)
    first, second = kind(Environment()), kind(Environment())
    second.start(Group())
    gevent.sleep(0.01)
    second.stop()
    until(lambda: second._greenlet.dead)
    assert kind.accounts.count("sales") == 0
    first._leave()


def test_nobody_is_left_in_an_empty_file() -> None:
    assert Accounts([]).count("sales") == 0
