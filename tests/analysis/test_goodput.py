from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.goodput import Fate, assess, fates, found_of
from analysis.recording.audit import (
    FOUND_SCHEMA,
    NOBODY_ASKED,
    Audit,
    Invariants,
    read_audit,
    sent_writes,
    write_audit,
    write_found,
)
from analysis.recording.format import Outcome
from analysis.recording.reader import Recording, read_run
from analysis.windows import Window
from scenarios.errors import RunFolderError
from tests.analysis.synthetic import RunBuilder, scenario_of, watch
from tests.analysis.test_verdict import judged

ORDER = "POST /api/v1/orders"
HOLD = Window(stage=0, level=1, start_s=0.0, end_s=10.0, planned_end_s=10.0)
OTHERS = [outcome for outcome in Outcome if outcome is not Outcome.OK]

Write = tuple[str, Outcome, int | None, int | None]
"""Name, outcome, status, and how often it is stored."""


def frame(writes: Sequence[Write], tags: Sequence[str | None] | None = None) -> pd.DataFrame:
    """Samples of writes, one each tenth of a second."""
    number = range(len(writes))
    return pd.DataFrame(
        {
            "process": 0,
            "request": [1 + n for n in number],
            "method": [name.split(" ")[0] for name, *_ in writes],
            "name": [name for name, *_ in writes],
            "outcome": pd.Categorical([outcome.label for _, outcome, *_ in writes]),
            "status": pd.array([status for _, _, status, _ in writes], dtype="Int16"),
            "tags": pd.array([None] * len(writes) if tags is None else tags, dtype="string"),
            "sent_us": [1e5 * n for n in number],
            "end_s": [0.1 * n + 0.01 for n in number],
        }
    ).assign(end_s=lambda df: df["end_s"].astype(float))


def audit(found: Sequence[int | None], why: str | None = None, **more: Any) -> Audit:
    table = pa.table([[0] * len(found), range(1, len(found) + 1), list(found)], schema=FOUND_SCHEMA)
    more.setdefault("fresh", True)
    more.setdefault("invariants", Invariants(checked=9))
    return Audit(why=why, found=table, **more)


def fate_of(write: Write, *, checked: bool = True, tag: str | None = None) -> Fate:
    writes = frame([write], [tag])
    (fate,) = fates(writes, found_of(writes, audit([write[3]])), checked=checked)
    return Fate(fate)


def of(writes: Sequence[Write], **more: Any) -> Any:
    told = audit([found for *_, found in writes], **more)
    return assess(frame(writes), told, HOLD, prefix="1a2b3c", checked=True)


@pytest.mark.parametrize(
    ("outcome", "status", "found", "fate"),
    [
        (Outcome.OK, 201, 1, Fate.STORED),
        (Outcome.OK, 201, 0, Fate.ABSENT),
        (Outcome.OK, 303, 0, Fate.ABSENT),
        (Outcome.OK, 201, 2, Fate.DOUBLED),
        (Outcome.OK, 201, None, Fate.NOT_ASKED),
        (Outcome.OK, 409, 0, Fate.REFUSED),
        (Outcome.OK, 409, 1, Fate.CONTRADICTED),
        (Outcome.OK, None, 0, Fate.INDETERMINATE),
        (Outcome.HTTP_ERROR, 422, 0, Fate.REFUSED),
        (Outcome.HTTP_ERROR, 422, 1, Fate.CONTRADICTED),
        (Outcome.RATE_LIMITED, 429, 0, Fate.REFUSED),
        (Outcome.HTTP_ERROR, 408, 1, Fate.INDETERMINATE),
        (Outcome.HTTP_ERROR, 503, 0, Fate.INDETERMINATE),
        (Outcome.HTTP_ERROR, 503, 1, Fate.INDETERMINATE),
        (Outcome.HTTP_ERROR, 503, 2, Fate.DOUBLED),
        (Outcome.CHECK_FAILED, 200, 0, Fate.INDETERMINATE),
        (Outcome.TIMEOUT, 201, 0, Fate.INDETERMINATE),
    ],
)
def test_what_was_answered_and_what_is_there_make_the_fate(
    outcome: Outcome, status: int | None, found: int | None, fate: Fate
) -> None:
    assert fate_of((ORDER, outcome, status, found)) is fate


@pytest.mark.parametrize("outcome", OTHERS)
@pytest.mark.parametrize("found", [0, 1])
def test_what_has_no_answer_is_neither_lost_nor_acknowledged(outcome: Outcome, found: int) -> None:
    write = (ORDER, outcome, None, found)
    goodput = of([write])

    assert fate_of(write) is Fate.INDETERMINATE
    assert goodput.broken == ()
    assert goodput.document["acknowledged"] == 0
    assert goodput.document["indeterminate"] == [
        {"outcome": outcome.label, "stored": found, "not_stored": 1 - found}
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_stored_twice_is_doubled_whatever_its_client_saw(outcome: Outcome) -> None:
    assert fate_of((ORDER, outcome, None, 2)) is Fate.DOUBLED
    assert of([(ORDER, outcome, None, 3)]).document["doubled"]["first"][0]["found"] == 3


def test_what_stores_nothing_by_design_is_not_missed() -> None:
    for name in ("POST /login", "POST /api/v1/_audit"):
        assert fate_of((name, Outcome.OK, 200, 0)) is Fate.WITHOUT_ROW
        assert fate_of((name, Outcome.TIMEOUT, None, 0)) is Fate.WITHOUT_ROW


def test_a_form_of_somebody_who_may_not_be_signed_in_is_unclear_unless_it_was_checked() -> None:
    write = ("POST /orders/{id}/status", Outcome.OK, 303, 0)

    assert fate_of(write, checked=True) is Fate.ABSENT
    assert fate_of(write, checked=False) is Fate.UNCLEAR
    assert fate_of(("POST checkout", Outcome.OK, 200, 0), checked=False) is Fate.UNCLEAR
    assert fate_of(("POST checkout", Outcome.OK, 200, 1), checked=False) is Fate.STORED
    assert fate_of(("POST checkout", Outcome.OK, 200, 2), checked=False) is Fate.DOUBLED


def test_a_page_that_a_form_led_to_and_that_was_not_there_contradicts_nothing() -> None:
    assert fate_of(("POST /feedback", Outcome.HTTP_ERROR, 404, 1)) is Fate.INDETERMINATE


def test_a_replayed_answer_is_stored_under_an_earlier_request() -> None:
    assert fate_of((ORDER, Outcome.OK, 201, 0), tag="replayed") is Fate.REPLAYED
    assert fate_of((ORDER, Outcome.OK, 201, 2), tag="replayed") is Fate.DOUBLED


WRITE = st.tuples(
    st.sampled_from([ORDER, "POST /login", "POST /feedback", "PATCH /orders/{id}", "PUT it"]),
    st.sampled_from(list(Outcome)),
    st.sampled_from([None, 200, 201, 303, 404, 408, 409, 429, 500, 503]),
    st.sampled_from([None, 0, 1, 2, 7]),
)


@pytest.mark.costly
@settings(max_examples=40, deadline=None)
@given(st.lists(WRITE, min_size=1, max_size=30))
def test_each_write_is_in_exactly_one_class(writes: list[Write]) -> None:
    document = of(writes).document
    plain = sum(
        document[name]
        for name in ("not_asked", "without_row", "stored", "replayed", "unclear", "refused")
    )
    named = sum(document[name]["count"] for name in ("absent", "doubled", "contradicted"))
    open_ends = sum(row["stored"] + row["not_stored"] for row in document["indeterminate"])

    assert plain + named + open_ends == document["writes"] == len(writes)
    assert document["doubled"]["count"] == sum(
        found is not None and found > 1 for *_, found in writes
    )
    assert bool(document["broken"]) == (named > 0)


def test_the_first_hundred_are_named_in_order_and_all_are_counted() -> None:
    goodput = of([(ORDER, Outcome.OK, 201, 0)] * 250 + [(ORDER, Outcome.OK, 201, 1)] * 50)
    absent = goodput.document["absent"]

    assert absent["count"] == 250
    assert [each["id"] for each in absent["first"]] == [f"1a2b3c-0-{n}" for n in range(1, 101)]
    assert absent["first"][1] == {"id": "1a2b3c-0-2", "name": ORDER, "sent_s": 0.1, "found": 0}
    assert goodput.broken == (
        "250 of 300 acknowledged writes are not stored "
        f"(first {ORDER} after 0 s, request 1a2b3c-0-1)",
    )


def test_goodput_counts_what_was_acknowledged_and_stored_in_the_hold() -> None:
    # 0.1 s apart: the first 100 of the 120 end within the 10 s; of those each fifth is lost.
    document = of([(ORDER, Outcome.OK, 201, int(n % 5 > 0)) for n in range(120)]).document

    assert document["throughput"]["value"] == pytest.approx(8.0)
    assert document["throughput"]["low"] <= 8.0 <= document["throughput"]["high"]
    assert document["share"]["value"] == 0.8
    assert document["share"]["n"] == 100


def test_without_a_complete_audit_nothing_is_estimated_but_what_was_found_stands() -> None:
    goodput = of(
        [(ORDER, Outcome.OK, 201, 0), (ORDER, Outcome.OK, 201, None)], why="no time was left"
    )

    assert goodput.document["assessed"] is False
    assert goodput.document["not_asked"] == 1
    assert goodput.document["throughput"]["value"] is None
    assert goodput.document["share"]["why"] == "no time was left"
    assert len(goodput.broken) == 1


BROKEN = Invariants(
    checked=9, broken=({"name": "order_has_items", "violations": 3, "examples": [4, 5, 6]},)
)


def test_a_broken_invariant_fails_a_run_on_fresh_data_and_only_warns_on_other() -> None:
    ours, theirs = of([], invariants=BROKEN), of([], invariants=BROKEN, fresh=False)

    assert ours.broken == ("the target's data breaks order_has_items in 3 rows",)
    assert ours.warnings == ()
    assert theirs.broken == ()
    assert "nobody looked before the run" in theirs.warnings[0]


def build(folder: Path, budgets: dict[str, list[str]] | None = None) -> RunBuilder:
    """A user who creates an order ten times a second, for ten seconds."""
    scenario = scenario_of([(1, 10.0)], budgets=budgets, think_scale=0.01, timeout="9s")
    run = RunBuilder(folder / "run", scenario)
    for n in range(100):
        run.add(0.1 * n, 0.05, name=ORDER, status=201, persona="sales_rep")
    never_s = -1e-6  # null
    run.add(0.05, None, sent_s=never_s, seen_s=0.06, name=ORDER, outcome=Outcome.MISSED)
    return run


def finished(run: RunBuilder, found: Callable[[int], int], **more: Any) -> Recording:
    watch(run, until_s=10.0, **more)
    folder = run.finish(ended_s=10.0)
    (writes,) = sent_writes(folder)
    column = pa.array([found(key) for key in writes.column("request").to_pylist()], pa.int32())
    write_found(folder, [writes.append_column("found", column)])
    write_audit(folder, audit([]))
    return read_run(folder)


@pytest.mark.costly
def test_a_lost_write_fails_a_run_without_budgets_and_with_right_answers(tmp_path: Path) -> None:
    recording = finished(build(tmp_path), lambda key: int(key != 17))
    document = judged(recording.folder)

    assert (document["verdict"], document["exit_code"]) == ("failed", 99)
    assert document["why"].startswith("1 of 100 acknowledged writes is not stored")
    assert document["totals"]["bad"] == 1  # the one that was missed
    assert document["goodput"]["absent"]["first"][0]["id"] == "run-0-17"


@pytest.mark.costly
def test_a_lost_write_fails_even_a_run_whose_load_was_not_delivered(tmp_path: Path) -> None:
    budgets = {"all": ["p(95) < 300ms"]}
    invalid = finished(build(tmp_path / "a", budgets), lambda _: 1, cpu=0.99)
    lost = finished(build(tmp_path / "b", budgets), lambda key: int(key != 17), cpu=0.99)

    assert judged(invalid.folder)["verdict"] == "invalid"
    document = judged(lost.folder)
    assert document["verdict"] == "failed"
    assert not document["validity"]["valid"]


def test_a_run_that_has_stored_everything_is_judged_by_its_budgets_alone(tmp_path: Path) -> None:
    recording = finished(build(tmp_path, {"all": ["throughput > 1"]}), lambda _: 1)
    document = judged(recording.folder)

    assert document["verdict"] == "passed"
    assert document["goodput"]["stored"] == document["goodput"]["writes"] == 100
    assert document["goodput"]["throughput"]["value"] == pytest.approx(10.0)


def test_a_run_that_nobody_asked_about_says_so(tmp_path: Path) -> None:
    run = build(tmp_path)
    document = judged(run.finish(ended_s=10.0))

    assert document["goodput"]["assessed"] is False
    assert document["goodput"]["why"] == NOBODY_ASKED
    assert document["goodput"]["not_asked"] == 100
    assert document["goodput"]["broken"] == []


def test_an_audit_is_read_as_it_was_written(tmp_path: Path) -> None:
    told = audit([1, None, 0], why="no time", invariants=BROKEN, asked_at="now", duration_s=1.5)
    write_found(tmp_path, [told.found])
    write_audit(tmp_path, told)
    again = read_audit(tmp_path)

    assert again.as_dict() == told.as_dict()
    assert again.found.equals(told.found)


@pytest.mark.parametrize("text", ["{", '{"format": 2}', "{}"])
def test_a_damaged_or_newer_audit_is_refused(tmp_path: Path, text: str) -> None:
    folder = build(tmp_path).finish(ended_s=10.0)
    (folder / "goodput.json").write_text(text)

    with pytest.raises(RunFolderError, match="damaged"):
        read_run(folder)


def test_an_audit_without_its_writes_is_refused(tmp_path: Path) -> None:
    recording = finished(build(tmp_path), lambda _: 1)
    (recording.folder / "goodput.parquet").unlink()

    with pytest.raises(RunFolderError, match="damaged"):
        read_run(recording.folder)


def test_a_write_of_one_process_is_not_taken_for_that_of_another() -> None:
    told = pa.table([[3, 0, 1], [1, 1, 2], [7, 1, 0]], schema=FOUND_SCHEMA)
    writes = pd.DataFrame({"process": [0, 1, 3, 2, 1], "request": [1, 2, 1, 1, 1]})

    assert found_of(writes, Audit(why=None, found=told)).tolist() == [1, 0, 7, -1, -1]


def test_writes_are_read_once_from_streams_that_tell_of_them_twice(tmp_path: Path) -> None:
    run = build(tmp_path)
    run.add(3.0, None, seen_s=4.0, name=ORDER, outcome=Outcome.OPEN, request=1000)
    run.flush()
    run.add(3.0, 2.0, name=ORDER, status=201, request=1000)
    run.add(3.0, 0.1, name="GET /api/v1/orders")
    folder = run.finish(ended_s=10.0)

    asked = [key for part in sent_writes(folder) for key in part.column("request").to_pylist()]
    assert sorted(asked) == [*range(1, 101), 1000]
    assert json.loads((folder / "manifest.json").read_text())["run"] == "run"
