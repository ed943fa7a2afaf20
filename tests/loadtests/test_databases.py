"""Which database the CRM is to use, and where it may be."""

from __future__ import annotations

import pytest

from loadtests.databases import check_database, database_of
from scenarios.errors import HostNotAllowed, UsageError
from scenarios.loading import parse_scenario
from scenarios.model import Target

SECRET = "postgresql://crm:hush@db.example/crm"


def target(database: object, **more: object) -> Target:
    load = {"mix": {"sales_rep": 1}, "stages": [{"users": 1, "hold": "5s"}]}
    raw = {"target": {"database": database, **more}, "load": load}
    return parse_scenario(raw, name="test", folder=None).target


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_kind_is_a_database_of_our_own() -> None:
    assert database_of(target("sqlite")).kind == "sqlite"
    assert database_of(target("postgres")).url is None


def test_a_secret_is_found_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", SECRET)
    database = database_of(target({"env": "DATABASE_URL"}))

    assert database.url == SECRET
    assert database.masked == "postgresql://crm:***@db.example/crm"
    assert "hush" not in repr(database)


def test_a_variable_that_is_not_there_or_holds_no_database_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="NOT_THERE"):
        database_of(target({"env": "NOT_THERE"}))
    monkeypatch.setenv("DATABASE_URL", "oracle:hush")
    with pytest.raises(UsageError, match="DATABASE_URL") as caught:
        database_of(target({"env": "DATABASE_URL"}))
    assert "hush" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["postgresql://crm@127.0.0.1/crm", "postgresql://crm@/crm?host=/run/postgresql"]
)
def test_loopback_and_sockets_need_no_word(url: str) -> None:
    check_database(target(url), ())


def test_another_host_needs_both_the_scenario_and_the_command_line() -> None:
    url = "postgresql://crm@db.example/crm"
    both = target(url, allow=["DB.example"])

    check_database(both, ("db.example",))
    with pytest.raises(HostNotAllowed, match=r"db\.example"):
        check_database(both, ())
    with pytest.raises(HostNotAllowed):
        check_database(target(url), ("db.example",))


def test_every_one_of_several_hosts_must_be_allowed() -> None:
    with pytest.raises(HostNotAllowed, match=r"10\.0\.0\.1"):
        check_database(target("postgresql://127.0.0.1/crm?host=10.0.0.1"), ())


def test_an_environment_that_leads_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.1")

    check_database(target("postgres"), ())
    with pytest.raises(UsageError, match="PGHOSTADDR"):
        check_database(target("postgresql://crm@127.0.0.1/crm"), ())


def test_nothing_is_asked_of_a_target_that_is_not_ours() -> None:
    check_database(Target(app=None, url="http://127.0.0.1:1"), ())
