"""Bad input: a clear message, exit 2, nothing sent, nothing written over."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Done, Harness, hanging_server

pytestmark = pytest.mark.slow


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, held so that nobody else gets it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def refused(harness: Harness, *arguments: str) -> str:
    """Run a command that must be refused before it starts anything; its message."""
    return message_of(harness, harness.here(*arguments))


def refused_as_process(harness: Harness, *arguments: str) -> str:
    """Run a command that must be refused, as a process of its own; its message."""
    return message_of(harness, harness.run(*arguments))


def message_of(harness: Harness, done: Done) -> str:
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert done.err.startswith(("trueload: ", "Usage: "))
    assert harness.runs() == []
    return done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere"], "demo, duel, growth, recovery, smoke"),
        (["run", "smoke", "--set", "load.nonsense=1"], "a key that does not exist"),
        (["run", "smoke", "--set", 'load.stages=[{users=0,hold="5s"}]'], "load.stages[0].users"),
        (["run", "smoke", "--set", 'load.timeout="100ms"'], "more than every latency limit"),
        (["run", "smoke", "--set", 'budgets.all=["p95 < 1s"]'], "no metric"),
        (["run", "smoke", "--set", 'target.headers.Cookie="x"'], "a literal credential"),
        (["run", "smoke", "--url", "http://a:b@127.0.0.1/"], "a literal credential"),
        (["run", "smoke", "--url", ""], "target.url: found ''"),  # not the CRM instead
        (["run", "smoke", "--url", "http://127.0.0.1:1"], "target.accounts"),
        (["run", "smoke", "--url", "http://127.0.0.1:1", "--database", "sqlite"], "with app alone"),
        (["run", "smoke", "--database", "oracle"], "sqlite"),
        (["run", "smoke", "--database", "postgresql://a:b@127.0.0.1/x"], "a literal credential"),
        (["run", "smoke", "--database", "postgresql://db.invalid/x"], "--allow db.invalid"),
        (["run", "smoke", "--set", 'target.database={env="NOT_THERE"}'], "NOT_THERE"),
        (["run", "smoke", "--set", 'target.options.cache="redis"'], "off or naive or ttl"),
        (["run", "smoke", "--accounts", "people.jsonl"], "with url alone"),
        (["run", "smoke", "--locustfile", "nowhere.py"], "a Python file"),
        (["check", "nowhere"], "no such folder"),
        (["report", "."], "no manifest.json"),
        (["validate", "nowhere"], "demo, duel, growth"),
        (["run"], "Missing argument"),
        (["fly"], "No such command"),
    ],
)
def test_it_is_told_and_nothing_is_sent(harness: Harness, arguments: list[str], said: str) -> None:
    assert said in refused(harness, *arguments)


def test_all_mistakes_come_together(harness: Harness) -> None:
    message = refused_as_process(
        harness, "run", "smoke", "--set", "load.nonsense=1", "--set", 'budgets.all=["p95 < 1s"]'
    )

    assert "2 mistakes" in message
    assert "load.nonsense" in message
    assert "budgets.all[0]" in message


@pytest.mark.parametrize("flag", [["--url", "ftp://x"], ["--locustfile", "nowhere.py"]])
def test_a_mistake_of_a_flag_names_the_scenario_that_was_asked_for(
    harness: Harness, flag: list[str]
) -> None:
    assert "smoke has" in refused(harness, "run", "smoke", *flag)


@pytest.mark.parametrize(
    "text", ['all = ["p(95) < 1ms"]', '[budget]\nall = ["max < 1s"]', "", "[load]\nx = 1"]
)
def test_a_file_of_budgets_without_budgets_is_not_taken_for_a_pass(
    harness: Harness, text: str
) -> None:
    folder = run_folder(harness.folder, 1)
    (harness.folder / "budgets.toml").write_text(text)
    done = harness.here("check", str(folder), "--budgets", "budgets.toml")

    assert done.code == 2, done
    assert "budgets" in done.err


@pytest.mark.parametrize(
    ("host", "said"), [("shop.invalid", "--allow shop.invalid"), ("127.0.0.1", "nobody answers")]
)
def test_a_place_where_load_may_not_go_or_nobody_listens(
    harness: Harness, closed_port: int, host: str, said: str
) -> None:
    (harness.folder / "theirs.py").write_text("")
    url = f"http://{host}:{closed_port}"

    assert said in refused_as_process(
        harness, "run", "smoke", "--url", url, "--locustfile", "theirs.py"
    )


def test_personas_of_the_crm_are_not_let_loose_on_something_else(harness: Harness) -> None:
    (harness.folder / "people.jsonl").write_text("")
    log = harness.folder / "server.log"
    with hanging_server(log, 60) as url:
        message = refused_as_process(
            harness, "run", "smoke", "--url", url, "--accounts", "people.jsonl"
        )

    assert "is no reference CRM" in message


def test_a_secret_that_is_not_in_the_environment(harness: Harness) -> None:
    message = refused(harness, "run", "smoke", "--set", 'target.headers.A={env="NOT_THERE"}')

    assert "NOT_THERE" in message


LEAVES_AT_ITS_START = """
import sys
from locust import HttpUser, events, task

@events.init.add_listener
def leave(**_):
    sys.exit(4)

class Idle(HttpUser):
    @task
    def work(self):
        self.client.get("/")
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no good')", "line 1: does not load: RuntimeError: no good"),
        ("def broken(:", "does not load: SyntaxError"),
        ("import nowhere_to_be_found", "nowhere_to_be_found"),
        ("raise SystemExit(0)", "does not load: SystemExit"),
        ("raise KeyboardInterrupt", "line 1: does not load: KeyboardInterrupt"),
        (LEAVES_AT_ITS_START, "listener of init ended the process: SystemExit(4)"),
        ("x = 1", "found no users"),
        ("from locust import HttpUser\nclass Idle(HttpUser): pass", "Idle: found no tasks"),
    ],
)
def test_a_locustfile_that_cannot_be_used(harness: Harness, text: str, said: str) -> None:
    (harness.folder / "theirs.py").write_text(text)
    log = harness.folder / "server.log"
    with hanging_server(log, 60) as url:
        message = refused_as_process(
            harness, "run", "smoke", "--url", url, "--locustfile", "theirs.py"
        )

    assert said in message
    assert log.read_text() == ""


def test_a_module_called_analysis_beside_a_locustfile(harness: Harness) -> None:
    (harness.folder / "analysis.py").write_text("ANSWER = 42\n")
    (harness.folder / "theirs.py").write_text("import analysis\n")

    message = refused_as_process(harness, "run", "smoke", "--locustfile", "theirs.py")
    assert "rename analysis.py" in message


@pytest.mark.parametrize("client", ["HttpUser", "FastHttpUser"])
def test_a_locustfile_cannot_send_load_where_it_may_not(harness: Harness, client: str) -> None:
    (harness.folder / "theirs.py").write_text(
        f"""
from locust import {client}, constant, task

class Stray({client}):
    wait_time = constant(0.1)

    @task
    def stray(self):
        try:
            self.client.get("http://shop.invalid/")
        except Exception:
            pass
"""
    )
    log = harness.folder / "server.log"
    with hanging_server(log, 60) as url:
        done = harness.run("run", "smoke", "--url", url, "--locustfile", "theirs.py")

    assert done.code == 2, done
    assert "shop.invalid" in done.err
    assert "--allow shop.invalid" in done.err
    assert log.read_text() == ""


def test_a_locustfile_that_connects_while_it_loads_is_refused(harness: Harness) -> None:
    (harness.folder / "theirs.py").write_text(
        'import socket\nsocket.create_connection(("10.255.255.1", 80), timeout=1)\n'
    )
    with hanging_server(harness.folder / "server.log", 60) as url:
        message = refused_as_process(
            harness, "run", "smoke", "--url", url, "--locustfile", "theirs.py"
        )

    assert "10.255.255.1" in message


def run_folder(parent: Path, version: object) -> Path:
    folder = parent / "somebodys"
    folder.mkdir()
    load = {"locustfile": "theirs.py", "stages": [{"users": 1, "hold": "1s"}]}
    scenario = {"target": {"url": "http://127.0.0.1:1"}, "load": load}
    (folder / "manifest.json").write_text(json.dumps({"format": version, "scenario": scenario}))
    return folder


@pytest.mark.parametrize("command", ["check", "report"])
@pytest.mark.parametrize(
    ("version", "said"), [(999, "found format 999"), ("x", "found format 'x'")]
)
def test_a_run_of_a_newer_format_is_not_touched(
    harness: Harness, command: str, version: object, said: str
) -> None:
    folder = run_folder(harness.folder, version)
    before = sorted(path.name for path in folder.iterdir())
    done = harness.here(command, str(folder))

    assert done.code == 2, done
    assert said in done.err
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "scenario": 3}']
)
def test_a_damaged_manifest_is_a_clear_error(harness: Harness, content: str) -> None:
    folder = harness.folder / "broken"
    folder.mkdir()
    (folder / "manifest.json").write_text(content)
    done = harness.here("check", str(folder))

    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert str(folder) in done.err


def test_a_run_never_writes_over_another(harness: Harness) -> None:
    (harness.folder / "runs").write_text("a file where the folder should be")
    done = harness.run("run", "smoke", "--set", 'load.stages=[{users=1,hold="1s"}]')

    assert done.code == 2, done
    assert (harness.folder / "runs").read_text() == "a file where the folder should be"
