"""Reports of the open model speak of arrivals; every report of cores, validity and events."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from rich.console import Console

from analysis.report.clicks import click_rows, mix_rows, mix_words
from analysis.report.cores import cores_of_target, generators_words
from analysis.report.events import happened
from analysis.report.html import tiles
from analysis.report.junit import render_junit
from analysis.report.markdown import render_markdown
from analysis.report.scaling import scalability_words
from analysis.report.sentences import method
from analysis.report.terminal import plain, summary
from analysis.report.validity import reason_rows, validity_words
from tests.analysis.sample_verdict import (
    LOST,
    events,
    open_verdict,
    sample_manifest,
    sample_verdict,
)


def on_terminal(verdict: dict[str, Any]) -> str:
    console = Console(width=80, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(summary(verdict))
    return capture.get()


def test_nobody_calls_arrivals_users() -> None:
    verdict = open_verdict()
    texts = {
        "terminal": on_terminal(verdict),
        "plain": plain(verdict),
        "markdown": render_markdown(sample_manifest(), verdict),
        "junit": render_junit(sample_manifest(), verdict),
        "tiles": " ".join(name for name, _ in tiles(verdict)),
        "scaling": " ".join(scalability_words(verdict)),
    }
    for where, text in texts.items():
        assert "arrivals/s" in text.lower(), where
        for number in ("100", "200", "400"):
            assert f"{number} users" not in text, where
        assert "think times x" not in text, where
    assert "Arrivals/s  ok/s" in texts["terminal"]


def test_the_method_is_that_of_the_model() -> None:
    closed, opened = " ".join(method(sample_verdict())), " ".join(method(open_verdict()))

    assert "the end of the think time" in closed
    assert "is missed" in opened
    assert "the arrival of its click in the schedule" in opened
    assert "Little's law is no check of arrivals" in opened
    assert "think times" not in opened.lower()


def test_a_locustfile_is_told_that_its_think_times_are_not_known() -> None:
    verdict = sample_verdict() | {"mix": {}}

    assert "nobody knows the think times" in method(verdict)[-3]
    assert "Little's law was not assessed" in validity_words(
        verdict | {"stages": verdict["stages"][:3]}
    )


@pytest.mark.parametrize(
    ("ran_on", "target", "generators"),
    [
        (
            {"target": [1], "generators": [[0]]},
            "on core 1 alone",
            "one generator process, on core 0 alone",
        ),
        (
            {"target": [2, 3], "generators": [[0], [1]]},
            "on cores 2 and 3 alone",
            "2 generator processes, on cores 0 and 1, one each",
        ),
        (
            {"target": "shared", "generators": ["shared"]},
            "on any core, shared with the generator",
            "one generator process, on any core",
        ),
        (
            {"target": "shared", "generators": ["shared", "shared"]},
            "on any core, shared with the generators",
            "2 generator processes, on any core",
        ),
        ({"target": None, "generators": [None]}, "", "one generator process"),
        (None, "", ""),
    ],
)
def test_cores_stand_in_every_sentence_about_capacity(
    ran_on: dict[str, Any] | None, target: str, generators: str
) -> None:
    verdict = sample_verdict() | {"ran_on": ran_on}

    assert cores_of_target(verdict) == target
    assert generators_words(verdict) == generators
    capacity, saturation, _ = scalability_words(verdict)
    assert target in capacity
    assert target in saturation
    assert ("core" in capacity) == bool(target)


def invalid(*reasons: dict[str, Any]) -> dict[str, Any]:
    verdict = sample_verdict() | {"verdict": "invalid", "exit_code": 96}
    return verdict | {"validity": {"valid": False, "reasons": list(reasons)}}


def reason(code: str, measured: float, limit: float) -> dict[str, Any]:
    said = {"code": code, "measured": measured, "limit": limit, "stage": 1}
    return said | {"message": f"stage 2: {code} was found", "advice": f"mend {code}"}


@pytest.mark.parametrize(
    ("code", "measured", "limit", "shown"),
    [
        ("no_data", 0.0, 1.0, ("0 requests", "1 request")),
        ("load_not_delivered", 10.0, 20.0, ("10", "20")),
        ("generator_saturated", 0.91, 0.85, ("91.0 % of a core", "85.0 % of a core")),
        ("generator_saturated", 31.2, 15.0, ("31.2 ms", "15.0 ms")),
        ("generator_saturated", 1.0, 0.0, ("-", "-")),
        ("records_lost", 99.0, 100.0, ("99 requests", "100 requests")),
        ("littles_law", 0.25, 0.1, ("25.0 %", "10.0 %")),
        ("clock_stepped", 2.0, 0.0, ("2 s", "0 s")),
        ("generator_lost", 1.0, 0.0, ("1 lost", "0 lost")),
    ],
)
def test_each_code_has_a_measured_value_a_limit_and_advice_everywhere(
    code: str, measured: float, limit: float, shown: tuple[str, str]
) -> None:
    verdict = invalid(reason(code, measured, limit))
    (row, *_) = reason_rows(verdict)

    assert (row.measured, row.limit, row.harmful) == (*shown, True)
    for text in (
        plain(verdict),
        render_markdown(sample_manifest(), verdict),
        render_junit(sample_manifest(), verdict),
    ):
        for part in (*shown, f"Mend {code}".replace("_", "\\_"), row.message):
            assert part.replace("\\", "") in text.replace("\\", "")
    terminal = on_terminal(invalid(*[reason(code, measured, limit)] * 3))
    assert f"{row.sentence} (2 more such in the report)" in " ".join(terminal.split())


def test_a_message_that_holds_its_numbers_does_not_say_them_twice() -> None:
    (row,) = reason_rows(invalid(LOST | {"stage": 1}) | {"stages": []})

    assert row.sentence == (
        "generator saturated: stage 7: the generator did not keep up: a process used 91% of its "
        "core; allowed: 85%. Give the generator more processes or cores of its own, or ask for "
        "less load."
    )


def test_stages_that_nothing_depends_on_are_told_without_harm() -> None:
    verdict = sample_verdict()  # its stage of 400 users was not valid

    assert [(row.code, row.harmful) for row in reason_rows(verdict)] == [
        ("generator saturated", False)
    ]
    assert validity_words(verdict).startswith("Yes, up to the required load.")
    assert "nothing depends on it: at 400 users (stage 7)" in on_terminal(verdict)
    assert "\nnot valid: generator saturated" in plain(verdict)
    root = ET.fromstring(render_junit(sample_manifest(), verdict).encode())
    (case,) = [case for case in root.iter("testcase") if case.get("name") == "validity"]
    assert [child.tag for child in case] == ["system-out"]
    assert "without harm" in (case[0].text or "")


def test_a_stage_that_was_not_run_has_no_numbers() -> None:
    verdict = sample_verdict()
    verdict["stages"][-1] |= {"hold": [58.0, 58.0], "complete": False, "reasons": []}

    assert "stage: unjudged: 400 users (think times x 0.05): not run\n" in plain(verdict)
    (last,) = [line for line in on_terminal(verdict).splitlines() if "  400 " in line]
    assert last.split()[1:6] == ["-"] * 5


def test_a_reason_of_a_required_stage_is_told_once() -> None:
    rows = reason_rows(invalid(LOST))

    assert [row.harmful for row in rows] == [True]


def test_clicks_have_their_requests_and_the_mix_its_difference() -> None:
    verdict = sample_verdict()

    kinds = {(row.persona, row.click): row for row in click_rows(verdict)}
    assert kinds["sales rep", "create order"].requests == "2.00"
    assert kinds["sales rep", "create order"].p95.value == "611 ms"
    shares = {row.click: row for row in mix_rows(verdict)}
    assert shares["my orders"].difference == "+2.60"
    assert shares["create order"].difference == "\u22120.08"
    assert "my orders of portal customer differs by more than chance" in mix_words(verdict)


def test_a_mix_that_was_achieved_is_said_to_be() -> None:
    verdict = sample_verdict()
    for share in verdict["mix_achieved"]:
        share["differs"] = False

    assert mix_words(verdict).startswith("The mix was the intended one")
    assert mix_words(verdict | {"mix_achieved": []}) == ""


def test_what_happened_stands_in_order_with_its_time() -> None:
    rows = [each.row for each in happened(events(), sample_verdict())]

    assert rows == [
        ("0:20.0", "0:24.0", "server frozen", "asked for by the scenario"),
        ("0:30.5", "0:30.6", "one worker killed", "asked for by the scenario at 0:30.0"),
        ("0:30.6", "", "worker of the target lost", "process 8"),
        ("0:31.0", "", "worker of the target started", "process 9"),
        ("0:38.0", "", "worker of the target lost", "process 9"),
        ("0:41.0", "0:42.0", "down: not one good answer", "1.00 s"),
        ("0:44.0", "", "generator 1 lost", "signal 9"),
        ("0:50.0", "", "stage 6 held on", "10.0 s more: a budget was undecided"),
        ("0:57.0", "", "stop rule ended the load", "error_ratio > 50% for 10s"),
    ]
    markdown = render_markdown(sample_manifest(), sample_verdict(), events())
    assert "| 0:20.0 | 0:24.0 | server frozen |" in markdown


def test_figures_name_faults_and_not_the_workers_that_they_kill() -> None:
    labels = [each.label for each in happened(events(), sample_verdict())]

    assert [label for label in labels if label] == [
        "freeze",
        "worker killed",
        "worker lost",
        "generator lost",
        "held on",
        "stop rule",
    ]


def test_a_fault_that_was_not_over_says_so() -> None:
    cut = [event for event in events() if event["kind"] != "fault_cleared"]

    assert happened(cut, sample_verdict())[0].row[1] == "not over at the end"


def test_a_run_of_nothing_but_load_has_no_events() -> None:
    assert happened([events()[0], events()[-1]], sample_verdict()) == []
