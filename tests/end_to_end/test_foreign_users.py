"""Anybody's Locust users: what they do is recorded as they mean it, and agrees with the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analysis.recording.streams import read_lines
from tests.support.harness import SUPPORT, Done, Harness

pytestmark = pytest.mark.slow

EXPECTED = {
    ("GET", "/ok"): {"ok"},
    ("GET", "named"): {"ok"},
    ("GET", "grouped"): {"ok"},
    ("GET", "by position"): {"ok"},
    ("POST", "/ok/post"): {"ok"},
    ("GET", "/ok/absolute"): {"ok"},
    ("GET", "/status/404"): {"http_error"},
    ("GET", "/status/429"): {"rate_limited"},
    ("GET", "/status/503"): {"http_error"},
    ("GET", "/status/410"): {"ok"},
    ("GET", "/ok/wrong"): {"check_failed"},
    ("GET", "/ok/outer"): {"ok"},
    ("GET", "/ok/inner"): {"ok"},
    ("GET", "/ok/raises"): {"check_failed"},
    ("GET", "/ok/forgotten"): {"check_failed"},
    ("GET", "/redirect"): {"ok"},
    ("GET", "/away"): {"ok"},
    ("GET", "/broken"): {"connection_error"},
    ("GET", "/drop"): {"connection_error"},
    ("GET", "/latin"): {"http_error"},
    ("GET", "/ok/rested"): {"ok"},
    ("MQTT", "publish"): {"ok"},
}
OF_OUR_OWN = {
    ("GET", "/ok"): {"ok"},
    ("GET", "named"): {"ok"},
    ("POST", "posted"): {"ok"},
    ("GET", "/status/404"): {"http_error"},
    ("GET", "/status/429"): {"rate_limited"},
    ("GET", "/status/503"): {"http_error"},
    ("GET", "/status/410"): {"ok"},
    ("GET", "/ok/wrong"): {"check_failed"},
    ("GET", "/ok/raises"): {"check_failed"},
    ("GET", "/redirect"): {"ok"},
    ("GET", "/away"): {"check_failed"},
    ("GET", "/broken"): {"connection_error"},
    ("GET", "/drop"): {"connection_error"},
    ("GET", "/latin"): {"http_error"},
    ("MQTT", "publish"): {"ok"},  # of nobody
}


@dataclass(frozen=True)
class ZooRun:
    done: Done
    folder: Path
    rows: dict[str, list[Any]]
    served: list[dict[str, Any]]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[ZooRun]:
    harness = Harness(tmp_path_factory.mktemp("zoo"), cache)
    harness.environment["API_TOKEN"] = "very-secret-indeed"
    harness.environment["http_proxy"] = "http://127.0.0.1:9"  # nobody there: none may be asked
    log = harness.folder / "server.log"
    server = subprocess.Popen(
        [sys.executable, str(SUPPORT / "zoo_server.py"), str(log)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = f"http://127.0.0.1:{int(server.stdout.readline())}"
    scenario = harness.folder / "zoo.toml"
    scenario.write_text(
        """
        [target]
        headers = { Authorization = { env = "API_TOKEN" }, X-Plain = "seen" }
        [load]
        stages = [{ users = 9, hold = "5s" }]
        settle = "0s"
        [budgets]
        all = ["warn: max < 5s"]
        """
    )
    try:
        locustfile = str(SUPPORT / "zoo_locustfile.py")
        done = harness.run("run", str(scenario), "--url", url, "--locustfile", locustfile)
        rows = pq.read_table(harness.the_run() / "samples.parquet").to_pydict()
        yield ZooRun(done, harness.the_run(), rows, read_lines(log))
    finally:
        server.kill()
        server.communicate()
        harness.clean()


def seen(zoo: ZooRun, persona: str) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for method, endpoint, outcome, who in zip(
        zoo.rows["method"],
        zoo.rows["endpoint"],
        zoo.rows["outcome"],
        zoo.rows["persona"],
        strict=True,
    ):
        if who in {persona, None} and outcome != "cancelled":
            found.setdefault((method, endpoint), set()).add(outcome)
    return found


@pytest.mark.parametrize(
    ("persona", "expected"), [("Requests", EXPECTED), ("Fast", EXPECTED), ("Loader", OF_OUR_OWN)]
)
def test_each_request_has_the_name_and_the_outcome_that_its_user_gave_it(
    zoo: ZooRun, persona: str, expected: dict[tuple[str, str], set[str]]
) -> None:
    assert seen(zoo, persona) == expected


def test_with_warnings_alone_the_run_is_unjudged_and_says_so(zoo: ZooRun) -> None:
    assert zoo.done.code == 0, zoo.done
    assert "unjudged" in zoo.done.out


def test_no_record_is_lost_against_the_engines_own_count(zoo: ZooRun) -> None:
    verdict = json.loads((zoo.folder / "verdict.json").read_text())
    (closed,) = [e for e in read_lines(zoo.folder / "events.jsonl") if e["kind"] == "stream_closed"]

    assert verdict["validity"]["valid"], verdict["validity"]
    assert closed["requests"] == len(zoo.rows["request"])
    assert len(set(zoo.rows["request"])) == len(zoo.rows["request"])


def test_every_request_that_was_served_is_a_sample_and_the_other_way_round(zoo: ZooRun) -> None:
    run = json.loads((zoo.folder / "manifest.json").read_text())["id"]
    ids = [line["headers"].get("x-request-id") for line in zoo.served if line["path"] != "/ok"]
    answered = Counter(number for number in ids if number is not None)
    recorded = {
        f"{run}-0-{number}"
        for number, method in zip(zoo.rows["request"], zoo.rows["method"], strict=True)
        if method != "MQTT"
    }

    assert ids.count(None) == 1  # the login before the start
    assert set(answered) <= recorded
    assert len(recorded) > 200
    assert max(answered.values()) == 1


def test_the_scenarios_headers_are_sent_and_its_secrets_are_written_nowhere(zoo: ZooRun) -> None:
    secret = b"very-secret-indeed"

    served = [line["headers"] for line in zoo.served if line["path"] != "/ok/login"]
    assert {headers["authorization"] for headers in served} == {secret.decode()}
    assert {headers["x-plain"] for headers in served} == {"seen"}
    for path in zoo.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path
    assert secret.decode() not in zoo.done.out + zoo.done.err


def test_a_redirect_to_another_host_is_not_followed_and_that_is_said(zoo: ZooRun) -> None:
    events = read_lines(zoo.folder / "events.jsonl")
    said = [event for event in events if event.get("code") == "redirect_not_followed"]

    assert len(said) == 1
    assert "elsewhere.invalid" in said[0]["text"]
    assert not [event for event in events if event["kind"] == "host_refused"]
    assert "elsewhere.invalid" in (zoo.folder / "report.html").read_text()


def test_warnings_reach_the_terminal_and_the_pull_request(zoo: ZooRun) -> None:
    for text in (zoo.done.out, (zoo.folder / "report.md").read_text()):
        assert "elsewhere.invalid" in text
        assert "KeyError" in text
        assert "a listener of the locustfile failed" in text


def test_what_users_raise_is_told_once_with_its_number(zoo: ZooRun) -> None:
    errors = [e for e in read_lines(zoo.folder / "events.jsonl") if e["kind"] == "user_error"]

    assert [error["text"] for error in errors] == ["KeyError: 'nothing of that name'"]
    assert errors[0]["count"] >= 2


def test_what_a_task_sleeps_before_its_request_is_not_the_targets(zoo: ZooRun) -> None:
    lags_ms = [
        (sent_us - intended_us) / 1000
        for sent_us, intended_us, endpoint in zip(
            zoo.rows["sent_us"], zoo.rows["intended_us"], zoo.rows["endpoint"], strict=True
        )
        if endpoint == "/ok/rested"
    ]

    assert len(lags_ms) >= 4
    assert sorted(lags_ms)[len(lags_ms) // 2] < 50  # it slept 300 ms


def test_times_of_the_server_and_sizes_are_kept(zoo: ZooRun) -> None:
    for index, endpoint in enumerate(zoo.rows["endpoint"]):
        if endpoint == "/ok/post" and zoo.rows["outcome"][index] == "ok":
            assert zoo.rows["server_us"][index] == 2500
            assert zoo.rows["database_us"][index] == 1250
            assert zoo.rows["queries"][index] == 3
            assert zoo.rows["bytes_in"][index] == 12
            assert zoo.rows["bytes_out"][index] in {8, 9}
            assert zoo.rows["first_byte_us"][index] is not None
            return
    raise AssertionError("no POST was recorded")
