"""Markdown, JUnit and terminal: golden for the sample, and safe for any name."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console, RenderableType

from analysis.report.junit import render_junit
from analysis.report.markdown import render_markdown
from analysis.report.terminal import plain, summary
from tests.analysis.sample_verdict import (
    LOST,
    goodput,
    lost_write,
    sample_manifest,
    sample_verdict,
)

Golden = Callable[[str, str], None]
HOSTILE = "GET /<script>alert(1)</script>|`x`\x1b[31m\u202eevil\n# @team ![i](http://x)"


def shown(renderable: RenderableType, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def hostile() -> dict[str, Any]:
    verdict = sample_verdict()
    verdict["title"] = verdict["question"] = verdict["scenario"] = HOSTILE
    verdict["warnings"] = [HOSTILE]
    verdict["budgets"][0] |= {"subject": HOSTILE, "why": HOSTILE}
    for endpoint in verdict["endpoints"]:
        endpoint["name"] = HOSTILE
    for part in (*verdict["transactions"], *verdict["mix_achieved"]):
        part |= {"persona": HOSTILE, "click": HOSTILE}
    reason = dict(LOST, message=HOSTILE, advice=HOSTILE)
    verdict["validity"] = {"valid": False, "reasons": [reason]}
    verdict["goodput"] = goodput(absent=[lost_write(7, HOSTILE)]) | {"broken": [HOSTILE]}
    verdict["stability"]["recovery"][0]["what"] = verdict["stability"]["bursts"][0]["during"] = (
        HOSTILE
    )
    return verdict


def with_verdict(word: str, code: int, **more: Any) -> dict[str, Any]:
    verdict = sample_verdict() | {"verdict": word, "exit_code": code} | more
    if word in {"passed", "inconclusive"}:
        for budget in verdict["budgets"]:
            if budget["verdict"] == "failed" or word == "passed":
                budget["verdict"] = "passed"
    if word == "unjudged":
        verdict["budgets"] = []
    return verdict


def test_markdown_is_as_it_was(golden: Golden) -> None:
    golden("report.md", render_markdown(sample_manifest(), sample_verdict()))


def test_junit_is_as_it_was(golden: Golden) -> None:
    golden("junit.xml", render_junit(sample_manifest(), sample_verdict()))


def test_the_terminal_is_as_it_was(golden: Golden) -> None:
    golden("terminal.txt", shown(summary(sample_verdict(), report="runs/x/report.html")))
    golden("plain.txt", plain(sample_verdict(), report="runs/x/report.html"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_of_the_terminal_is_too_long(width: int) -> None:
    lines = shown(summary(hostile(), report="r" * 200), width).splitlines()

    assert max(len(line) for line in lines) <= width


def test_the_terminal_shows_numbers_whole_at_80_columns() -> None:
    text = shown(summary(sample_verdict()))

    for number in (">= 1,204 ms", "305 ms", "p(95) < 300ms", "200 users", "FAILED"):
        assert number in text


def test_no_control_character_reaches_a_terminal() -> None:
    for text in (shown(summary(hostile())), plain(hostile())):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_plain_lines_hold_one_fact_each() -> None:
    kinds = [line.split(":", 1)[0] for line in plain(hostile(), report="r").splitlines()]

    order = ["verdict", "why", "invalid", "not valid", "budget", "stage", "errors", "phases"]
    order += ["scaling", "recovery", "goodput", "drift", "warning", "next", "report"]
    assert [*dict.fromkeys(kinds)] == order
    assert kinds.count("budget") == kinds.count("stage") == 7


def test_markdown_neither_links_nor_mentions_nor_embeds() -> None:
    text = render_markdown(sample_manifest(), hostile())

    assert "\x1b" not in text
    outside_code = "".join(text.split("``")[::2])  # names stand between longer fences
    assert "<script" not in outside_code
    assert "@team" not in outside_code
    assert "http://x" not in outside_code
    assert "![" not in outside_code.replace("\\!\\[", "")


def test_names_of_facts_and_outcomes_are_no_markup_either() -> None:
    manifest = sample_manifest()
    manifest["tags"] = {"<b>@team": "x"}
    manifest["generators"] = [{"process": "![i](http://x)", "cores": [1]}]
    verdict = sample_verdict()
    verdict["totals"]["outcomes"] = {"<i>`x`|@team": 3}
    text = render_markdown(manifest, verdict)

    assert "- &lt;b&gt;@\u2060team: x" in text
    assert "- Generator \\!\\[i\\](http:\u2060//x) ran on:" in text
    assert "| &lt;i&gt;\\`x\\`\\|@\u2060team | 3 |" in text


def test_every_row_of_a_markdown_table_has_the_columns_of_its_head() -> None:
    text = render_markdown(sample_manifest(), hostile())

    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        found = line.replace("\\|", "").count("|")
        assert columns in {0, found}
        columns = found


def cases(verdict: dict[str, Any]) -> dict[str, str]:
    """Kind of each case of the JUnit report, ``ok`` where it is green."""
    root = ET.fromstring(render_junit(sample_manifest(), verdict).encode())
    found = {}
    for case in root.iter("testcase"):
        kinds = [child.tag for child in case if child.tag != "system-out"]
        found[case.get("name", "")] = kinds[0] if kinds else "ok"
    return found


def test_junit_holds_hostile_names_and_stays_well_formed() -> None:
    verdict = hostile()
    verdict["budgets"][0]["subject"] += "\ufffe\ud800\x0b"

    assert len(cases(verdict)) == 10


def test_each_budget_is_a_case_by_its_fate() -> None:
    found = cases(sample_verdict())

    assert found == {
        "verdict": "failure",
        "validity": "ok",
        "goodput": "ok",
        "all: p(95) < 300ms": "failure",
        "all: capacity >= 200": "failure",
        "POST /api/v1/orders: p(99) < 330ms": "error",
        "GET /api/v1/customers: p(99) < 300ms": "ok",
        "all: error_ratio < 1%": "ok",
        "all: availability >= 97%": "ok",
        "GET /api/v1/customers: p(95) < 500ms": "ok",
    }


@pytest.mark.parametrize(
    ("word", "code", "kind"),
    [
        ("passed", 0, "ok"),
        ("failed", 99, "failure"),
        ("inconclusive", 97, "error"),
        ("invalid", 96, "error"),
        ("unjudged", 0, "skipped"),
    ],
)
def test_a_suite_is_green_only_when_the_run_passed(word: str, code: int, kind: str) -> None:
    found = cases(with_verdict(word, code))

    assert found["verdict"] == kind
    assert (set(found.values()) == {"ok"}) == (word == "passed")


def test_counts_of_the_suite_are_those_of_its_cases() -> None:
    root = ET.fromstring(render_junit(sample_manifest(), sample_verdict()).encode())
    suite = root.find("testsuite")

    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "10",
        "failures": "3",
        "errors": "1",
        "skipped": "0",
    }


@pytest.mark.parametrize(
    ("word", "code", "ended", "said"),
    [
        ("failed", 99, "finished", "2 of 7 budgets are broken"),
        ("passed", 0, "finished", "Every budget holds up to 200 users (think times x 0.05)."),
        ("inconclusive", 97, "finished", "one budget of 7 could not be decided"),
        ("inconclusive", 130, "interrupted", "was interrupted after 58.0 s"),
        ("invalid", 96, "finished", "nothing is said about the target"),
        ("unjudged", 0, "finished", "Nothing was judged."),
        ("failed", 99, "target_lost", "the target was lost after 58.0 s"),
    ],
)
def test_the_first_sentence_says_why(word: str, code: int, ended: str, said: str) -> None:
    complete = ended == "finished"
    verdict = with_verdict(
        word, code, ended={"why": ended, "load_ended_s": 58.0, "complete": complete}
    )

    assert said in plain(verdict)


def test_every_broken_and_undecided_budget_has_a_next_action() -> None:
    text = plain(sample_verdict())

    assert text.count("\nnext: ") == 4
    assert "it waits rather than works" in text


def test_renderers_do_not_change_the_verdict() -> None:
    verdict = sample_verdict()
    before = copy.deepcopy(verdict)

    render_markdown(sample_manifest(), verdict)
    render_junit(sample_manifest(), verdict)
    plain(verdict)

    assert verdict == before


def test_an_empty_manifest_is_enough() -> None:
    assert render_markdown({}, sample_verdict())
    assert render_junit({}, sample_verdict())


def test_a_target_that_answered_nothing_is_the_first_thing_to_look_at() -> None:
    verdict = sample_verdict()
    verdict["ended"] |= {"why": "target_lost"}
    verdict["stages"][5]["outcomes"] = {"ok": 0, "connection_error": 2389}
    verdict["budgets"][0]["why"] = "2389 requests were sent in the hold; none was answered well"

    text = plain(verdict)

    assert "none was answered well). The run ended because the target was lost" in text
    assert text.index("next: the run: Find in target.log") < text.index("next: all: p(95)")
    assert "not one request was answered well." in text
