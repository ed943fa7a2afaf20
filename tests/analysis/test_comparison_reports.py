"""A comparison on the terminal, in Markdown, as a page and as a figure."""

from __future__ import annotations

import copy
import html
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

import analysis
from analysis.compare import document as written
from analysis.compared_run import ComparedRun
from analysis.figures.comparison import Moved, forest
from analysis.figures.drawing import NARROW, WIDE, to_svg
from analysis.report import comparison as c
from analysis.report.comparison_markdown import render_comparison
from analysis.report.comparison_page import forest_of, render_page
from analysis.report.comparison_text import plain, summary
from analysis.report.comparison_write import write_comparison
from analysis.run_order import When, design_of
from analysis.verdict_on_change import Question, answer
from tests.analysis.compared_runs import values

HOSTILE = "GET /<script>alert(1)</script>|`x`\x1b[31m\u202eevil @team"
NOISE = (1.00, 1.02, 0.985, 1.01, 0.99)


@cache
def validator() -> Draft202012Validator:
    path = Path(analysis.__file__).parent / "schema" / "comparison.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def made(
    factor: float = 1.15,
    *,
    order: str = "ABABABABAB",
    name: str = "GET /customers",
    question: Question | None = None,
    on_inconclusive: str | None = None,
    silent: bool = False,
) -> dict[str, Any]:
    """The document of a comparison, held against the schema; `silent` takes the values away."""
    when = {
        side: [When(start_s=60.0 * at) for at, s in enumerate(order) if s == side] for side in "AB"
    }
    base = values([50 * n for n in NOISE[: len(when["A"])]], **{name: [40 * n for n in NOISE]})
    slower = [factor * n for n in reversed(NOISE)]
    candidate = values(
        [50 * f for f in slower[: len(when["B"])]],
        **{name: [None if silent else 40 * f for f in slower]},
    )
    design = design_of(when["A"], when["B"])
    answered = answer(base, candidate, design, question or Question())
    verdict = {
        "scenario": "growth", "title": "Growth", "required": 50.0, "load_unit": "users",
        "think_scale": 1.0, "verdict": "passed",
    }  # fmt: skip
    sides = [
        [
            ComparedRun(
                folder=Path(run.run),
                verdict=verdict | {"run": f"{side}{run.run}"},
                manifest={"started": "2026-03-01T12:00:00+00:00"},
                facts={"machine.cpu": "Sample CPU"},
                when=When(start_s=0.0),
            )
            for run in runs
        ]
        for side, runs in (("base-", base), ("candidate-", candidate))
    ]
    found = written(sides[0], sides[1], answered, (), on_inconclusive=on_inconclusive)
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    validator().validate(found)
    return found


def shown(document: dict[str, Any], width: int = 80) -> str:
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(summary(document, report="out/comparison.html"))
    return capture.get()


@pytest.mark.costly
def test_a_regression_is_told_with_its_numbers_everywhere() -> None:
    document = made()
    told = "p95 latency of all requests: +15 % (+14 to +16 %), beyond the tolerance of 5 %"
    assert c.verdict_words(document).startswith(told)
    for text in (plain(document), render_comparison(document)):
        assert told in text
    assert "REGRESSED" in shown(document)
    page = render_page(document)
    assert "Exit code 98: regressed against the base." in page
    assert "badge failed" in page


def test_a_row_names_its_direction_its_change_and_its_points() -> None:
    rows = {(row.subject, row.indicator): row for row in c.change_rows(made())}
    latency = rows["all", "p95 latency"]
    assert (latency.better, latency.change, latency.points) == ("lower", "+15 %", "")
    assert latency.detectable.startswith("+")
    errors = rows["all", "bad requests"]
    assert (errors.points, errors.change, errors.word) == ("0 points", "-", "no significant change")
    assert errors.interval.endswith(" points")
    assert rows["all", "ok requests/s"].better == "higher"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "0.0 %"),
        (0.99999, "0.0 %"),
        (1.0412, "+4.1 %"),
        (0.8, "-20 %"),
        (2.5, "+150 %"),
        (12.0, "x 12.0"),
        (None, "-"),
    ],
)
def test_a_change_is_written_with_its_sign(ratio: float | None, text: str) -> None:
    assert c.percent_change({"value": ratio}) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.98, 1.07, "-2.0 to +7.0 %"),
        (1.5, 4.0, "+50 % to x 4.00"),
        (1.2, None, "at least +20 %"),
        (None, None, ""),
    ],
)
def test_an_interval_is_written_with_both_signs(
    low: float | None, high: float | None, text: str
) -> None:
    assert c.percent_interval({"low": low, "high": high}) == text


def test_an_order_that_confounds_is_told_with_the_advice() -> None:
    document = made(order="AAAAABBBBB")
    assert document["verdict"] == "inconclusive"
    for text in (plain(document), render_comparison(document), render_page(document)):
        assert "rder confounds" in text
        assert "trueload duel" in text
    assert "lines speak of these runs" in c.figure_words(document)


def test_one_run_a_side_says_that_it_speaks_of_these_runs_alone() -> None:
    document = made(order="AB")
    assert "of these runs alone" in c.verdict_words(document)
    assert "one run a side" in shown(document)
    assert not c.power_words(document)


@pytest.mark.parametrize(
    ("order", "level", "other"),
    [
        ("ABABABABAB", "90 %", "95 % interval"),
        ("AAAAABBBBB", "90 %", "95 %"),
        ("AB", "95 %", "90 %"),
    ],
)
def test_an_interval_is_labelled_with_the_level_that_it_has(
    order: str, level: str, other: str
) -> None:
    """Of one run a side it is made of the runs' own intervals, which are wider."""
    document = made(order=order)
    levels = {row["change"]["level"] for row in document["rows"]} - {None}
    assert {f"{100 * each:g} %" for each in levels} == {level}
    for text in (render_comparison(document), shown(document)):
        assert f"{level} interval" in text
        assert other not in text.replace("one-sided 95 % bound", "")
    assert c.method_words(document)[-1].startswith(f"Intervals are {level}")


def test_an_undecided_comparison_says_what_it_would_take() -> None:
    document = made(1.05)
    assert document["needed_pairs"] is not None
    assert any(f"{document['needed_pairs']} pairs" in words for words in c.power_words(document))


def test_the_minimum_detectable_effect_is_printed_by_that_name_wherever_an_answer_is() -> None:
    document = made(1.0)
    row = next(r for r in document["rows"] if (r["subject"], r["indicator"]) == ("all", "p95"))
    told = f"Minimum detectable effect: {100 * (row['detectable'] - 1):+.1f} %"
    for page in (plain(document), render_comparison(document)):
        assert told in page
    assert told in html.unescape(render_page(document)).replace("\u202f", " ").replace("\xa0", " ")
    assert told in " ".join(shown(document).split())


def test_all_requests_are_not_called_an_endpoint() -> None:
    document = made(question=Question(subjects=("GET /customers",)))
    for row in document["rows"]:
        if (row["subject"], row["indicator"]) == ("all", "p95"):
            row["detectable"] = 3.0  # the noisiest of all
    (words,) = c.power_words(document)
    assert "noisiest" not in words


def test_a_comparison_has_the_rows_of_a_scorecard_wherever_it_is_told() -> None:
    """What was asked for, and each alarm: here two, all requests and the endpoint."""
    document = made(1.15)
    rows = document["scorecard"]
    assert [row["verdict"] for row in rows] == ["failed", "failed"]
    assert [row["indicator"] for row in rows] == [
        "p95 of all requests, candidate against base",
        "p95 of GET /customers, candidate against base",
    ]
    change = next(r["change"] for r in document["rows"] if r["indicator"] == "p95")
    assert rows[0]["actual"] == change
    assert rows[0]["difference"] == pytest.approx(change["value"] - 1.05)
    for page in (plain(document), render_comparison(document), render_page(document)):
        assert "candidate against base" in page
        assert "1.05 times the base" in page
    assert "<= 1.05 times the base" in " ".join(shown(document).split())


@pytest.mark.parametrize(
    ("order", "factor", "verdict"),
    [
        ("ABABABABAB", 1.0, "passed"),
        ("ABABABABAB", 1.05, "inconclusive"),
        ("AAAAABBBBB", 1.3, "inconclusive"),
        ("AB", 1.3, "inconclusive"),
    ],
)
def test_a_row_of_the_scorecard_decides_only_where_runs_can(
    order: str, factor: float, verdict: str
) -> None:
    assert [row["verdict"] for row in made(factor, order=order)["scorecard"]] == [verdict]


def test_the_terminal_keeps_to_its_width() -> None:
    for line in shown(
        made(name="GET /api/v1/customers/{id}/orders/{order}/positions")
    ).splitlines():
        assert len(line.rstrip()) <= 80


def test_no_name_becomes_markup_or_moves_the_cursor() -> None:
    document = copy.deepcopy(made(name=HOSTILE))
    document["title"] = HOSTILE
    document["notes"] = [HOSTILE]
    document["changed"] = [
        {
            "key": HOSTILE,
            "kind": "compared",
            "base": [HOSTILE],
            "candidate": ["x"],
            "allowed": False,
        }
    ]
    page, markdown = render_page(document), render_comparison(document)
    assert "<script" not in page
    assert "<script" not in markdown.replace("`GET /<script>alert(1)</script>", "")
    for text in (page, markdown, plain(document), shown(document)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "@team" not in "".join(
        line for line in markdown.splitlines() if not line.startswith("| `")
    )


def test_the_page_asks_for_nothing_and_has_a_figure_for_each_width() -> None:
    page = render_page(made())
    for word in ("<script", "http://", "https://", "url(http", "<link"):
        assert word not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<svg") == 2
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_the_figure_names_every_subject_and_the_ends_of_what_was_found() -> None:
    svg = forest_of(made())
    assert svg is not None
    for text in ("all requests", "GET /customers", "worse", "better", "+10 %"):
        assert text in svg


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    "moved",
    [
        [Moved(name="one", ratio=1.0, low=None, high=None)],
        [Moved(name="none", ratio=1e-6, low=None, high=1e6, alarm=True)],
        [Moved(name="open", ratio=1.4, low=1.2, high=None)] * 30,
    ],
)
def test_a_figure_is_drawn_of_anything(moved: list[Moved], size: Any) -> None:
    svg = to_svg(forest(moved, tolerance=0.05, size=size), title="x")
    assert svg.count("<svg") == 1
    assert moved[0].name in svg


def test_a_folder_gets_everything_and_it_is_the_same(tmp_path: Path) -> None:
    document = made()
    page = write_comparison(document, tmp_path / "new" / "out")
    assert json.loads((page.parent / "comparison.json").read_text()) == document
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "comparison.html",
        "comparison.json",
        "comparison.md",
    ]
    assert page.read_text() == render_page(document)
