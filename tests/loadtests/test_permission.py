"""Where load may go, and which locustfiles may be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.permission import (
    allowed_hosts,
    check_locustfile,
    check_secrets,
    is_loopback,
)
from scenarios.errors import HostNotAllowed, LocustfileError, UsageError
from scenarios.loading import parse_scenario
from scenarios.model import Scenario


def scenario(**target: object) -> Scenario:
    load = {"mix": {"sales_rep": 1}, "stages": [{"users": 1, "hold": "5s"}]}
    return parse_scenario({"target": target, "load": load}, name="test", folder=None)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "::ffff:127.0.0.1"],
)
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["example.invalid", "localhost.example.invalid", "0.0.0.0", "10.0.0.1", "::", "128.0.0.1", ""],
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_another_host_needs_both_the_scenario_and_the_command_line() -> None:
    url = "http://shop.invalid"
    both = scenario(url=url, allow=["Shop.invalid"])

    assert allowed_hosts(both, ("shop.invalid",)) == ("Shop.invalid",)
    with pytest.raises(HostNotAllowed, match=r"--allow shop\.invalid|shop\.invalid"):
        allowed_hosts(both, ())
    with pytest.raises(HostNotAllowed):
        allowed_hosts(scenario(url=url), ("shop.invalid",))


def test_loopback_needs_neither() -> None:
    assert allowed_hosts(scenario(url="http://127.0.0.1:1"), ()) == ()


def test_secrets_that_are_not_there_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE", "x")
    headers = {"A": {"env": "NOT_THERE_1"}, "B": {"env": "THERE"}, "C": {"env": "NOT_THERE_2"}}

    with pytest.raises(UsageError, match=r"NOT_THERE_1.*NOT_THERE_2") as caught:
        check_secrets(scenario(headers=headers))
    assert "THERE'" not in caught.value.message.replace("NOT_THERE", "")


@pytest.mark.parametrize("module", ["analysis.py", "scenarios/__init__.py", "loadtests/x.py"])
def test_a_module_beside_a_locustfile_that_is_called_like_ours_is_refused(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / module).parent.mkdir(exist_ok=True)
    (tmp_path / module).write_text("")

    with pytest.raises(LocustfileError, match="called like a part"):
        check_locustfile(tmp_path / "locustfile.py")


def test_other_neighbours_of_a_locustfile_are_fine(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.toml").write_text("")
    (tmp_path / "helpers.py").write_text("")

    check_locustfile(tmp_path / "locustfile.py")
    check_locustfile(None)


def test_a_locustfile_in_our_own_folder_is_fine() -> None:
    import analysis

    check_locustfile(Path(analysis.__file__).parent.parent / "locustfile.py")
