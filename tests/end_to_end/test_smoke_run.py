"""A whole run of the reference CRM: what a user gets, and that the numbers are right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest

from analysis.recording.streams import read_lines
from tests.end_to_end.conftest import SmokeRun

FILES = (
    "manifest.json",
    "samples/g0.arrows",
    "samples/names.jsonl",
    "samples.parquet",
    "timeline.jsonl",
    "resources.jsonl",
    "events.jsonl",
    "verdict.json",
    "report.html",
    "report.md",
    "junit.xml",
    "target.log",
    "generator.log",
)

pytestmark = pytest.mark.slow


def verdict_of(smoke: SmokeRun) -> dict[str, Any]:
    return smoke.harness.verdict(smoke.folder)


def test_it_passes_and_says_so_with_budgets_and_the_place_of_the_report(smoke: SmokeRun) -> None:
    assert smoke.done.code == 0, smoke.done
    assert "passed" in smoke.done.out.lower()
    assert "p(95) < 500ms" in smoke.done.out
    assert "report.html" in smoke.done.out
    assert "think times x 0.02" in smoke.done.out + smoke.done.err


def test_the_run_folder_holds_every_file_of_the_design(smoke: SmokeRun) -> None:
    assert [name for name in FILES if not (smoke.folder / name).is_file()] == []
    assert list((smoke.folder / "figures").glob("*.svg"))


def test_it_leaves_no_process_and_no_database_behind(smoke: SmokeRun) -> None:
    assert smoke.harness.processes() == []
    assert not list(smoke.folder.glob("*crm.*"))


def test_no_token_and_no_password_is_written_anywhere(smoke: SmokeRun) -> None:
    secrets = set()
    # Other tests may have had datasets made there as well: none of theirs may be here either.
    for path in Path(smoke.harness.environment["XDG_CACHE_HOME"]).rglob("accounts.jsonl"):
        header, *people = map(json.loads, path.read_text().splitlines())
        secrets |= {header["password"], *(person["token"] for person in people)}
    texts = [file.read_bytes() for file in smoke.folder.rglob("*") if file.is_file()]
    texts.append(str(pq.read_table(smoke.folder / "samples.parquet").to_pydict()).encode())
    everything = b"\n".join([*texts, smoke.done.out.encode(), smoke.done.err.encode()])

    assert len(secrets) > 1_000
    assert b"/api/v1/customers" in everything
    assert [word for word in secrets if word.encode() in everything] == []
    assert b"Bearer" not in everything


def test_every_user_ran_while_it_was_asked_for(smoke: SmokeRun) -> None:
    lines = read_lines(smoke.folder / "timeline.jsonl")
    hold = [line for line in lines if line["phase"] == "hold"]

    assert len(hold) >= 19
    assert {line["asked"] for line in hold} == {20}
    assert {line["running"] for line in hold} == {20}


def test_the_samples_read_independently_give_the_numbers_of_the_verdict(smoke: SmokeRun) -> None:
    verdict = verdict_of(smoke)
    (stage,) = verdict["stages"]
    rows = pq.read_table(smoke.folder / "samples.parquet").to_pydict()
    intended = np.array(rows["intended_us"])
    begin_us, end_us = (bound * 1e6 for bound in stage["hold"])
    held = (intended >= begin_us) & (intended < end_us)
    outcome = np.array(rows["outcome"])
    names = np.array(
        [f"{method} {path}" for method, path in zip(rows["method"], rows["endpoint"], strict=True)]
    )
    done = np.array([np.nan if at is None else at for at in rows["done_us"]], dtype=float)
    latency_ms = (done - intended) / 1000

    assert verdict["endpoints"]
    for endpoint in verdict["endpoints"]:
        mine = held & (names == endpoint["name"])
        assert endpoint["requests"] == np.count_nonzero(mine)
        assert endpoint["bad"] == np.count_nonzero(mine & (outcome != "ok"))
        good = latency_ms[mine & (outcome == "ok")]
        for level in (50, 95, 99):
            expected = np.percentile(good, level)
            assert endpoint["latency"][f"p{level}"]["value"] == pytest.approx(expected, rel=1e-12)
    assert stage["requests"] == np.count_nonzero(held)
    assert verdict["totals"]["requests"] == len(intended)
    in_hold = (outcome == "ok") & (done >= begin_us) & (done < end_us)
    rate = np.count_nonzero(in_hold) / (stage["hold"][1] - stage["hold"][0])
    assert stage["throughput"]["value"] == pytest.approx(rate, rel=1e-12)


def test_samples_are_as_many_as_the_engine_counted_and_those_that_never_finished(
    smoke: SmokeRun,
) -> None:
    events = read_lines(smoke.folder / "events.jsonl")
    (closed,) = [event for event in events if event["kind"] == "stream_closed"]
    outcome = pq.read_table(smoke.folder / "samples.parquet")["outcome"].to_pylist()
    finished = [word for word in outcome if word not in {"unfinished", "cancelled"}]

    assert len(outcome) == closed["client_requests"]
    assert len(finished) == closed["engine_statistics"]
    assert closed["engine_requests"] is None  # it hears of them from us: no count of its own
    assert len(outcome) == closed["requests"]
    assert len(outcome) > 800


def test_every_sample_says_when_it_was_intended_sent_answered_and_done(smoke: SmokeRun) -> None:
    rows = pq.read_table(smoke.folder / "samples.parquet").to_pydict()
    answered = [
        times
        for *times, outcome in zip(
            rows["intended_us"],
            rows["sent_us"],
            rows["first_byte_us"],
            rows["done_us"],
            rows["outcome"],
            strict=True,
        )
        if outcome == "ok"
    ]

    assert answered
    assert all(times == sorted(times) for times in answered)
    assert sum(at is not None for at in rows["connected_us"]) >= 10  # one a user, and reopened ones
    assert all(value is not None and value > 0 for value in rows["server_us"])
    assert set(rows["persona"]) == set(smoke.harness.verdict(smoke.folder)["mix"])


def test_one_click_may_be_several_requests(smoke: SmokeRun) -> None:
    rows = pq.read_table(smoke.folder / "samples.parquet").to_pydict()
    clicks: dict[int, list[tuple[int, str]]] = {}
    for click, step, method, path in zip(
        rows["transaction"], rows["step"], rows["method"], rows["endpoint"], strict=True
    ):
        clicks.setdefault(click, []).append((step, f"{method} {path}"))
    sent_forms = [sorted(steps) for steps in clicks.values() if (0, "POST /feedback") in steps]

    assert sent_forms
    assert all(steps == [(0, "POST /feedback"), (1, "GET /feedback")] for steps in sent_forms)


def test_the_manifest_says_what_was_run_and_on_what(smoke: SmokeRun) -> None:
    manifest = json.loads((smoke.folder / "manifest.json").read_text())

    assert manifest["scenario"]["name"] == "smoke"
    assert manifest["end"]["why"] == "finished"
    assert len(manifest["target"]["dataset_hash"]) == 64
    assert manifest["target"]["rows"]["customers"] == 2_000
    assert manifest["target"]["database"] == "sqlite"
    assert manifest["target"]["database_version"].startswith("3.")
    assert manifest["target"]["options"]["cache"] == "off"
    assert manifest["target"]["extensions"] == []
    assert manifest["environment"]["packages"]["locust"]
    clock = manifest["generators"][0]["clock"]
    assert clock["shared"] is True
    assert 0 < clock["uncertainty_us"] < 50_000


def test_junit_is_well_formed_and_holds_every_budget(smoke: SmokeRun) -> None:
    cases = list(ElementTree.parse(smoke.folder / "junit.xml").iter("testcase"))
    named = " ".join(case.get("name", "") for case in cases)

    assert "p(95) < 500ms" in named
    assert not [case for case in cases if case.find("failure") is not None]


def test_a_recorded_run_is_judged_again_by_stricter_budgets(smoke: SmokeRun) -> None:
    strict = smoke.harness.folder / "strict.toml"
    strict.write_text('[budgets]\nall = ["p(95) < 1us"]\n')
    try:
        done = smoke.harness.here("check", str(smoke.folder), "--budgets", str(strict))
        verdict = verdict_of(smoke)
        page = (smoke.folder / "report.html").read_text()
        failed = [
            case.get("name")
            for case in ElementTree.parse(smoke.folder / "junit.xml").iter("testcase")
            if case.find("failure") is not None
        ]

        assert done.code == 99
        assert verdict["verdict"] == "failed"
        assert "p(95) &lt; 1us" in page
        assert "p(95) < 1us" in (smoke.folder / "report.md").read_text().replace("&lt;", "<")
        assert failed == ["verdict", "all: p(95) < 1us"]
    finally:
        assert smoke.harness.here("check", str(smoke.folder)).code == 0


def test_a_budget_on_an_endpoint_without_requests_is_never_passed(smoke: SmokeRun) -> None:
    nowhere = smoke.harness.folder / "nowhere.toml"
    nowhere.write_text('[budgets]\n"GET /nowhere" = ["p(95) < 4s"]\n')
    try:
        done = smoke.harness.here("check", str(smoke.folder), "--budgets", str(nowhere))

        assert done.code == 96, done
        assert verdict_of(smoke)["verdict"] == "invalid"
        assert "GET /nowhere" in done.out
    finally:
        assert smoke.harness.here("check", str(smoke.folder)).code == 0


def test_the_reports_are_rendered_again(smoke: SmokeRun) -> None:
    (smoke.folder / "report.html").unlink()
    done = smoke.harness.run("report", str(smoke.folder))

    assert done.code == 0
    assert (smoke.folder / "report.html").is_file()


def test_runs_are_listed_with_their_verdicts(smoke: SmokeRun) -> None:
    done = smoke.harness.run("runs")

    assert f"{smoke.folder.name}  passed" in done.out


def test_a_real_run_is_compared_to_one_of_another_system(smoke: SmokeRun, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(smoke.folder, other, ignore=shutil.ignore_patterns("*.html", "figures"))
    for name in ("manifest.json", "verdict.json"):
        document = json.loads((other / name).read_text(encoding="utf-8"))
        document["run"] = "another"
        if name == "manifest.json":
            document["started"] = "2026-03-01T12:00:00.000+00:00"
            document["end"]["at"] = "2026-03-01T12:01:00.000+00:00"
            document["target"]["options"]["cache"] = "elsewhere"
        (other / name).write_text(json.dumps(document), encoding="utf-8")
    done = smoke.harness.run(
        "compare", "--json", "--base", str(smoke.folder), "--candidate", str(other)
    )
    assert done.code == 97, done
    found = json.loads(done.out)
    assert found["why"].startswith("one run a side")
    assert [each["key"] for each in found["changed"]] == ["target.options.cache"]
    assert found["differs"] == []
    known = found["same"]
    for key in ("dataset.hash", "dataset.customers", "machine.cpu", "processes", "load.stages"):
        assert known[key], key
    rows = {(row["subject"], row["indicator"]): row for row in found["rows"]}
    for row in rows.values():
        assert row["change"]["value"] in {1.0, None}, row
    rate = rows["all", "throughput"]["change"]
    assert rate["low"] < 1 < rate["high"]
    assert rate["covers"] == "this run"
