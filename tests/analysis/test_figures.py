"""Figures, tested through their data and labels."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from analysis.figures.drawing import BAD, DARK, FAULT, NARROW, WIDE, log_ticks, themed, to_svg
from analysis.figures.latency import Limit
from analysis.figures.over_load import latency_tails, percentiles_by_users
from analysis.figures.over_time import latency_over_time, throughput_over_time
from analysis.figures.resources import resources_over_time
from analysis.figures.run_axis import Band, Mark
from analysis.figures.scaling import scalability
from analysis.law import Law
from analysis.recording.reader import Recording, read_run
from analysis.series import Arrivals, Series, Tail, series_of, tails_of
from analysis.usage import usage_of
from tests.analysis.sample_run import REQUIRED, build_sample, resources
from tests.analysis.sample_verdict import USERS, sample_verdict
from tests.analysis.synthetic import RunBuilder, scenario_of

pytestmark = pytest.mark.costly  # figures are drawn

LIMITS = [Limit(latency_ms=300.0, label="p(95) < 300ms")]
SHORT = "users (think times x 0.05)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return build_sample(tmp_path_factory.mktemp("sample") / "run", hold_s=2.0)


@pytest.fixture(scope="module")
def series(run: Recording) -> Series:
    return series_of(run)


@pytest.fixture(scope="module")
def bands(run: Recording) -> list[Band]:
    return [
        Band(
            level=span.level,
            start_s=span.start_s,
            hold_s=span.hold_s,
            end_s=span.end_s,
            required=span.level == REQUIRED,
        )
        for span in run.schedule.spans
    ]


def texts(figure: Any) -> list[str]:
    root = ET.fromstring(to_svg(figure, title="t"))
    return ["".join(node.itertext()).strip() for node in root.iter() if node.tag.endswith("}text")]


def test_latency_over_time_draws_the_series_and_names_everything(
    series: Series, bands: list[Band]
) -> None:
    figure = latency_over_time(series, bands, LIMITS, users=SHORT)

    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["p95"].get_ydata(), series.latency_ms[0.95])
    np.testing.assert_array_equal(lines["p95"].get_xdata(), series.middle_s)
    assert axes.get_xlabel() == "run time, s"
    assert axes.get_ylabel().startswith("latency, ms")
    shown = texts(figure)
    for label in ("p50", "p99", "p(95) < 300ms", f"{SHORT} in each stage", "200", "400"):
        assert label in shown


def test_throughput_is_drawn_from_zero_and_errors_have_their_own_scale(
    series: Series, bands: list[Band]
) -> None:
    figure = throughput_over_time(series, bands)

    above, bad, below = figure.axes
    assert all(axes.get_ylim()[0] == 0 for axes in figure.axes)
    np.testing.assert_array_equal(above.get_lines()[0].get_ydata(), series.ok_rps)
    assert bad.get_ylim()[1] < above.get_ylim()[1]
    assert {line.get_label() for line in below.get_lines()} == {
        "users asked for",
        "users running",
        "requests open",
    }


MARKS = [
    Mark(start_s=5.0, end_s=8.0, label="freeze"),
    Mark(start_s=10.0, end_s=10.01, label="worker killed"),
    Mark(start_s=20.0, end_s=None, label="worker lost"),
]


@pytest.fixture
def open_series(series: Series) -> Series:
    count = len(series.start_s)
    missed = np.zeros(count)
    missed[3] = 7.0
    arrivals = Arrivals(begun=np.full(count, 20.0), late=np.full(count, 4.0), missed=missed)
    return replace(series, arrivals=arrivals)


@pytest.mark.costly
def test_the_open_model_shows_arrivals_and_clicks_instead_of_users(
    open_series: Series, bands: list[Band]
) -> None:
    figure = throughput_over_time(open_series, bands, users="arrivals/s")

    assert len(figure.axes) == 4
    clicks, last = figure.axes[2:]
    lines = {str(line.get_label()): line for line in clicks.get_lines()}
    np.testing.assert_array_equal(lines["arrivals asked for"].get_ydata(), open_series.asked)
    assert open_series.arrivals is not None
    np.testing.assert_array_equal(lines["clicks begun"].get_ydata(), open_series.arrivals.begun)
    assert {str(patch.get_label()) for patch in clicks.patches} >= {"no user was free", "missed"}
    assert {str(line.get_label()) for line in last.get_lines()} == {"requests open"}
    shown = texts(figure)
    assert "arrivals/s in each stage" in shown
    assert not [text for text in shown if text.startswith("users")]


@pytest.mark.costly
def test_what_did_not_wait_and_was_not_missed_has_no_legend(
    open_series: Series, bands: list[Band]
) -> None:
    nothing = np.zeros_like(open_series.start_s)
    arrivals = Arrivals(begun=open_series.ok_rps, late=nothing, missed=nothing)

    shown = texts(throughput_over_time(replace(open_series, arrivals=arrivals), bands))
    assert "clicks begun" in shown
    assert not {"no user was free", "missed"} & set(shown)


@pytest.mark.costly
def test_faults_are_shaded_and_named_from_injected_to_cleared(
    series: Series, bands: list[Band]
) -> None:
    for figure in (
        latency_over_time(series, bands, LIMITS, marks=MARKS),
        throughput_over_time(series, bands, marks=MARKS),
        resources_over_time(usage_of(resources(), length_s=30, width_s=1), bands, marks=MARKS),
    ):
        for axes in figure.axes:
            shaded = [p for p in axes.patches if p.get_facecolor() == to_rgba(FAULT)]
            spans = [patch.get_extents().transformed(axes.transData.inverted()) for patch in shaded]
            assert [(span.x0, span.x1) for span in spans] == [
                (pytest.approx(5.0), pytest.approx(8.0)),
                (pytest.approx(10.0), pytest.approx(10.01)),
            ]
        assert {"freeze", "worker killed", "worker lost"} <= set(texts(figure))


def test_labels_that_have_no_room_are_left_out_and_spans_come_first(
    series: Series, bands: list[Band]
) -> None:
    crowd = [Mark(start_s=5.0 + n / 100, end_s=None, label=f"moment {n}") for n in range(9)]

    shown = texts(latency_over_time(series, bands, [], marks=[*crowd, MARKS[0]], size=NARROW))
    assert "freeze" in shown
    assert not [text for text in shown if text.startswith("moment")]


def test_outages_lie_on_the_axis_of_good_requests(series: Series, bands: list[Band]) -> None:
    good = throughput_over_time(series, bands, outages=[(3.0, 5.0), (7.0, 8.0)]).axes[0]

    down = [line for line in good.get_lines() if line.get_color() == BAD]
    assert [list(np.asarray(line.get_xdata())) for line in down] == [[3.0, 5.0], [7.0, 8.0]]


def test_resources_have_a_panel_for_each_unit(bands: list[Band]) -> None:
    usage = usage_of(resources(), length_s=30, width_s=1)
    figure = resources_over_time(usage, bands)

    assert [axes.get_ylabel() for axes in figure.axes] == ["CPU, cores", "memory, MiB", "at a time"]
    lines = {str(line.get_label()): line for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["target"].get_ydata(), usage.cpu_cores["target"])
    assert {"target", "database", "generator", "its connections in use"} <= set(texts(figure))


def test_what_is_no_crm_has_no_gauges(bands: list[Band]) -> None:
    seen = [line for line in resources() if line["role"] != "crm"]

    assert len(resources_over_time(usage_of(seen, length_s=30, width_s=1), bands).axes) == 2


def test_a_run_without_errors_has_no_panel_for_them(bands: list[Band], series: Series) -> None:
    assert len(throughput_over_time(replace(series, bad_rps={}), bands).axes) == 2


def test_scalability_shows_a_point_a_level_and_the_law() -> None:
    verdict = sample_verdict()
    figure = scalability(verdict["stages"], verdict["scalability"], users=SHORT)

    (axes,) = figure.axes
    points = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(points) == len(USERS)
    assert axes.get_ylim()[0] == 0
    (law,) = [line for line in axes.get_lines() if line.get_label() == "fitted law"]
    fit = verdict["scalability"]
    expected = Law(
        sigma=fit["sigma"]["value"], kappa=fit["kappa"]["value"], lambda_=fit["lambda"]["value"]
    ).throughput(np.asarray(law.get_xdata(), dtype=float))
    np.testing.assert_allclose(np.asarray(law.get_ydata(), dtype=float), expected)
    shown = texts(figure)
    assert "saturates at 400/s" in shown
    assert f"labels: {SHORT}" in shown
    assert {f"{users}" for users in USERS} <= set(shown)


def test_a_level_that_left_the_fit_is_hollow() -> None:
    verdict = sample_verdict()
    (axes,) = scalability(verdict["stages"], verdict["scalability"]).axes

    faces = [line.get_markerfacecolor() for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(set(faces[:-1])) == 1
    assert faces[-1] != faces[0]


def test_a_refused_law_is_not_drawn() -> None:
    verdict = sample_verdict()
    fit = verdict["scalability"] | {"refused": "3 valid levels; the law needs at least 6"}

    (axes,) = scalability(verdict["stages"], fit).axes
    assert "fitted law" not in {line.get_label() for line in axes.get_lines()}


def test_percentiles_by_users_mark_lower_bounds_with_arrows() -> None:
    figure = percentiles_by_users(sample_verdict()["stages"], LIMITS, users=SHORT)

    (axes,) = figure.axes
    arrows = [text for text in axes.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 1
    assert axes.get_xlabel() == SHORT
    (p99,) = [line for line in axes.get_lines() if line.get_label() == "p99"]
    assert np.asarray(p99.get_ydata())[-1] == 1204.0


def test_stages_of_one_load_stand_side_by_side() -> None:
    stages = [dict(stage, level=50, users=50) for stage in sample_verdict()["stages"][:3]]

    (axes,) = percentiles_by_users(stages, []).axes
    assert axes.get_xlabel() == "users, stage by stage"
    assert np.asarray(axes.get_lines()[0].get_xdata()).tolist() == [1, 2, 3]


def test_tails_reach_from_all_to_the_slowest(run: Recording) -> None:
    tails = tails_of(run, stage=5)
    (axes,) = latency_tails(tails, LIMITS).axes

    lines = [line for line in axes.get_lines() if str(line.get_label()).startswith(("GET", "POST"))]
    assert [line.get_label() for line in lines] == [tail.name for tail in tails]
    assert np.asarray(lines[0].get_ydata())[0] == 100


@pytest.mark.costly
def test_a_figure_is_the_same_each_time_and_asks_for_nothing(
    series: Series, bands: list[Band]
) -> None:
    first, second = (
        to_svg(latency_over_time(series, bands, LIMITS, size=size), title="t")
        for size in (NARROW, NARROW)
    )

    assert first == second
    assert "http" not in first.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "metadata" not in first
    assert "<style" in first or "style=" in first


@pytest.mark.costly
def test_ids_can_be_told_apart_in_one_page(series: Series, bands: list[Band]) -> None:
    svg = to_svg(throughput_over_time(series, bands), title="t", prefix="a-")

    ids = set(re.findall(r'id="([^"]*)"', svg))
    assert ids
    assert all(name.startswith("a-") for name in ids)
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', svg)) <= ids


def test_hostile_names_are_texts_and_no_markup() -> None:
    name = 'GET /<script>alert(1)</script>$\\frac{1}$"&'
    tail = Tail(
        name=name,
        latency_ms=np.array([1.0, 2.0]),
        share_slower=np.array([1.0, 0.5]),
        n=2,
        censored=0,
    )
    figure = latency_tails([tail], [])

    assert name in texts(figure)
    assert "<script" not in to_svg(figure, title=name)


def test_names_in_any_script_draw_without_a_warning() -> None:
    tail = Tail(
        name="GET /顧客/שלום",
        latency_ms=np.array([1.0]),
        share_slower=np.array([1.0]),
        n=1,
        censored=0,
    )

    assert "GET /顧客/שלום" in texts(latency_tails([tail], []))


def test_drawing_leaves_the_settings_of_others_alone(series: Series, bands: list[Band]) -> None:
    before = dict(mpl.rcParams)
    to_svg(latency_over_time(series, bands, LIMITS), title="t")

    assert dict(mpl.rcParams) == before


@pytest.mark.costly
def test_a_page_can_give_every_colour_another_one(series: Series, bands: list[Band]) -> None:
    names = {colour: f"c{index}" for index, colour in enumerate(DARK)}
    svg = to_svg(throughput_over_time(series, bands, size=WIDE), title="t")

    left = set(re.findall(r"#[0-9a-f]{6}\b", themed(svg, names)))
    assert left <= {"#000000"}


def test_a_run_without_samples_still_has_its_axes(tmp_path: Path) -> None:
    build = RunBuilder(tmp_path / "run", scenario_of([(1, 10)]))
    empty = series_of(read_run(build.finish(ended_s=3.0)))

    assert "run time, s" in texts(latency_over_time(empty, [], []))
    assert "run time, s" in texts(throughput_over_time(empty, []))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 100, [1, 2, 5, 10, 20, 50, 100]),
        (0.5, 5000, [1, 3, 10, 30, 100, 300, 1000, 3000]),
    ],
)
def test_ticks_of_a_logarithm_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks
