"""report.html: complete, escaped, and fit to be looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.recording.reader import Recording
from analysis.report.write import write_reports
from analysis.verdict import judge
from tests.analysis.sample_run import build_sample, resources
from tests.analysis.sample_verdict import LOST, events, sample_manifest, sample_verdict

pytestmark = pytest.mark.slow  # each renders whole reports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"GET /{SCRIPT}\"'|\x1b\u202eevil<img src=x onerror=alert(1)>"
SECTIONS = (
    "next", "asked", "validity", "budgets", "stages", "by-phase", "events", "resources",
    "endpoints", "clicks", "mix", "failures", "scalability", "stability", "scorecard", "method",
    "sources", "reproduce",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = build_sample(tmp_path_factory.mktemp("html") / "run", hold_s=2.0)
    return replace(
        recording,
        manifest=sample_manifest() | {"end": recording.manifest["end"]},
        events=[*recording.events, *events()],
        resources=resources(),
    )


@pytest.fixture(scope="module")
def page_of_sample(run: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_reports(run, sample_verdict(), folder)
    return folder / "report.html"


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_reports_are_written_whole(page_of_sample: Path) -> None:
    files = {str(p.relative_to(page_of_sample.parent)) for p in page_of_sample.parent.rglob("*.*")}

    assert files == {
        "report.html",
        "report.md",
        "junit.xml",
        "figures/latency_over_time.svg",
        "figures/throughput_over_time.svg",
        "figures/resources_over_time.svg",
        "figures/scalability.svg",
        "figures/latency_by_users.svg",
        "figures/latency_tails.svg",
        "figures/drift.svg",
    }


def test_the_report_states_method_sources_results_and_recommendations(page_of_sample: Path) -> None:
    parsed = Tags(page_of_sample.read_text(encoding="utf-8"))

    ids = [attributes.get("id") for _, attributes in parsed.tags]
    assert [name for name in SECTIONS if name not in ids] == []
    assert len(ids := [i for i in ids if i]) == len(set(ids))
    for words in (
        "2 of 7 budgets are broken",
        "Exit code 99",
        "it waits rather than works",
        "a maximum has no interval",
        "an assumption",
        "samples.parquet",
        "trueload run growth",
        "think times x 0.05",
        "0.0221 to 0.396 %",
        "in recovery",
        ">= 1,204",
    ):
        assert words in parsed.text.replace("\u202f", " ")


def test_nothing_in_the_page_refers_to_anything_outside(page_of_sample: Path) -> None:
    html = page_of_sample.read_text(encoding="utf-8")
    parsed = Tags(html)

    loading = {"src", "srcset", "action", "data", "poster", "background", "xlink:href"}
    for tag, attributes in parsed.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        assert not loading & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []


def hostile() -> dict[str, Any]:
    verdict = sample_verdict()
    verdict |= dict.fromkeys(("title", "question", "scenario", "run"), HOSTILE)
    verdict["warnings"] = [HOSTILE]
    verdict["mix"] = {HOSTILE: 1.0}
    verdict["budgets"][0] |= {"subject": HOSTILE, "why": HOSTILE, "implied": HOSTILE}
    for endpoint in verdict["endpoints"]:
        endpoint["name"] = HOSTILE
    for part in (*verdict["transactions"], *verdict["mix_achieved"]):
        part |= {"persona": HOSTILE, "click": HOSTILE}
    verdict["validity"] = {
        "valid": False,
        "reasons": [dict(LOST, message=HOSTILE, advice=HOSTILE, code=HOSTILE)],
    }
    verdict["scorecard"][0] |= {"indicator": HOSTILE, "expected": HOSTILE, "criterion": HOSTILE}
    return verdict


def test_hostile_names_are_escaped_everywhere(run: Recording, tmp_path: Path) -> None:
    manifest = sample_manifest() | {"command": HOSTILE, "started": HOSTILE}
    manifest["tags"] = {HOSTILE: HOSTILE}
    manifest["target"] = dict.fromkeys(manifest["target"], HOSTILE)
    samples = run.samples.copy()
    samples["name"] = samples["name"].cat.rename_categories(lambda name: f"{name}{HOSTILE}")
    noted = [
        {"t_s": 3.0, "kind": "stop_rule", "rule": HOSTILE},
        {"t_s": 4.0, "kind": "generator_lost", "process": 1, "reason": HOSTILE},
        {"t_s": 5.0, "kind": "fault_injected", "fault": 0, "planned_s": 5.0}
        | dict.fromkeys(("what", "process"), HOSTILE),
    ]
    spoilt = replace(run, manifest=manifest, samples=samples, events=noted)
    write_reports(spoilt, hostile(), tmp_path)

    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert SCRIPT not in html
    assert not {"script", "img"} & {tag for tag, _ in Tags(html).tags}
    for file in tmp_path.rglob("*.*"):
        text = file.read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize("ended_s", [0.0, 15.0])
def test_what_the_judge_says_of_a_run_that_was_cut_can_be_told(
    run: Recording, tmp_path: Path, ended_s: float
) -> None:
    samples = run.samples[(run.samples["end_s"] < ended_s).to_numpy()].reset_index(drop=True)
    cut = replace(run, samples=samples, ended_s=ended_s, end_why="interrupted")

    write_reports(cut, judge(cut), tmp_path)

    assert "was interrupted" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_the_judge_says_of_a_whole_run_can_be_told(run: Recording, tmp_path: Path) -> None:
    verdict = judge(run)
    write_reports(run, verdict, tmp_path)

    text = Tags((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert verdict["verdict"] in text
    assert all(budget["assertion"] in text for budget in verdict["budgets"])
    assert set(sample_verdict()) <= set(verdict)  # the sample is one that the judge could write


def test_a_verdict_of_before_can_still_be_told(run: Recording, tmp_path: Path) -> None:
    new = ("model", "load_unit", "ran_on", "transactions", "mix_achieved", "goodput")
    verdict = {name: part for name, part in sample_verdict().items() if name not in new}

    write_reports(run, verdict, tmp_path)

    ids = re.findall(r'<h2 id="(\w+)"', (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "scalability" in ids
    assert not {"clicks", "mix", "goodput"} & set(ids)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True, service_workers="block")
    context.route(
        "**/*",
        lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort(),
    )
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_the_page_asks_for_itself_alone_and_complains_of_nothing(
    page: Page, page_of_sample: Path
) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(page_of_sample.as_uri())

    assert requests == [page_of_sample.as_uri()]
    assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window_and_shows_its_figures(
    page: Page, page_of_sample: Path, width: int, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(page_of_sample.as_uri())

    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    for figure in page.locator("figure").all():
        (box,) = [b for svg in figure.locator("svg").all() if (b := svg.bounding_box())]
        assert box["width"] >= min(width - 40, 400)
        assert 180 <= box["height"] <= 1400
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.locator("figure").count() == 7


@pytest.mark.browser
def test_text_can_be_told_from_its_ground_light_and_dark(page: Page, page_of_sample: Path) -> None:
    page.goto(page_of_sample.as_uri())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for selector in (
            "body",
            ".banner .word",
            ".note",
            ".note a",
            "thead th",
            "figure svg text",
        ):
            ground, ink = page.evaluate(
                """s => {
                  const e = document.querySelector(s), c = getComputedStyle(e);
                  const paper = getComputedStyle(document.body).backgroundColor;
                  return [paper, e instanceof SVGElement ? c.fill : c.color];
                }""",
                selector,
            )
            assert _contrast(ground, ink) >= 4.5, (scheme, selector, ground, ink)


def _contrast(first: str, second: str) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.browser
def test_hostile_names_run_nothing(page: Page, run: Recording, tmp_path: Path) -> None:
    write_reports(run, hostile(), tmp_path)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.set_viewport_size({"width": 390, "height": 900})

    page.goto((tmp_path / "report.html").as_uri())

    assert dialogs == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
