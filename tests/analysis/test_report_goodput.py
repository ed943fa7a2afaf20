"""What reports say of writes: what is stored, what is lost, what nobody could know."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from rich.console import Console

from analysis.report.goodput import goodput_facts, goodput_words
from analysis.report.junit import render_junit
from analysis.report.markdown import render_markdown
from analysis.report.terminal import plain, summary
from tests.analysis.sample_verdict import goodput, lost_write, sample_manifest, sample_verdict


def verdict_with(section: dict[str, Any], **more: Any) -> dict[str, Any]:
    return sample_verdict() | {"goodput": section} | more


LOST = goodput(absent=[lost_write(7), lost_write(9)], doubled=[lost_write(8, found=2)])


def test_what_is_stored_and_what_nobody_could_know_is_told_in_a_sentence() -> None:
    said = goodput_words(sample_verdict())

    assert said == (
        "all 950 acknowledged writes are stored, once; of 7 without a right answer 1 is stored."
    )
    facts = dict(goodput_facts(sample_verdict()))
    assert facts["Nobody could know (HTTP error)"] == "0 stored, 5 not"
    assert facts["Invariants of the data"] == "all 19 hold"


def test_a_lost_write_is_the_first_thing_that_is_said() -> None:
    verdict = verdict_with(LOST)
    text = plain(verdict)
    first = next(line for line in text.splitlines() if line.startswith("next: "))

    assert "why: 2 writes are absent; 1 writes are doubled." in text
    assert "request 1a2b3c-0-7 (POST /api/v1/orders: acknowledged, and not stored)" in first


def test_a_lost_write_is_a_failure_that_names_it() -> None:
    root = ET.fromstring(render_junit(sample_manifest(), verdict_with(LOST)).encode())
    (case,) = [case for case in root.iter("testcase") if case.get("name") == "goodput"]
    failure = case.find("failure")

    assert failure is not None
    assert "1a2b3c-0-8: POST /api/v1/orders: 1:02.5: stored more than once" in (failure.text or "")


def test_lost_writes_stand_in_a_table() -> None:
    text = render_markdown(sample_manifest(), verdict_with(LOST))

    assert (
        "| `1a2b3c-0-7` | `POST /api/v1/orders` | 1:02.5 | acknowledged, and not stored |" in text
    )


def test_an_audit_that_was_not_made_says_why_everywhere() -> None:
    section = goodput() | {"assessed": False, "why": "nobody was there", "not_asked": 961}
    verdict = verdict_with(section)
    console = Console(width=80, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(summary(verdict))
    root = ET.fromstring(render_junit(sample_manifest(), verdict).encode())
    (case,) = [case for case in root.iter("testcase") if case.get("name") == "goodput"]

    assert case.find("skipped") is not None
    for text in (capture.get(), plain(verdict), render_markdown(sample_manifest(), verdict)):
        assert "not assessed: nobody was there." in text


def test_a_broken_invariant_is_named() -> None:
    section = goodput()
    section["invariants"]["broken"] = [{"name": "order_has_items", "violations": 3, "examples": []}]

    facts = dict(goodput_facts(verdict_with(section)))
    assert facts["Invariants of the data"] == "broken: order_has_items (3)"


def test_a_verdict_of_before_says_nothing_of_writes() -> None:
    verdict = sample_verdict()
    del verdict["goodput"]

    assert goodput_words(verdict) == ""
    assert "oodput" not in plain(verdict) + render_markdown(sample_manifest(), verdict)
    assert "goodput" not in render_junit(sample_manifest(), verdict)


def test_a_run_without_writes_says_so() -> None:
    section = goodput() | {"writes": 0}

    assert goodput_words(verdict_with(section)) == "no write was sent."
    assert goodput_facts(verdict_with(section)) == [("Writes sent", "0")]


def test_somebodys_system_has_no_goodput_to_speak_of() -> None:
    verdict = verdict_with(goodput() | {"assessed": False, "why": "no accounts"}, mix={})
    console = Console(width=80, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(summary(verdict))

    assert "oodput" not in capture.get() + render_markdown(sample_manifest(), verdict)
    assert "goodput: not assessed: no accounts." in plain(verdict)
