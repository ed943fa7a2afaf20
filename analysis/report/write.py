"""Writes the reports of a run: the only place of the reports that touches files."""

from __future__ import annotations

from pathlib import Path

from analysis.recording.reader import Recording
from analysis.report.html import render_html
from analysis.report.illustrations import illustrate
from analysis.report.junit import render_junit
from analysis.report.markdown import render_markdown
from analysis.report.tables import Document

HTML = "report.html"
MARKDOWN = "report.md"
JUNIT = "junit.xml"
FIGURES = "figures"


def write_reports(recording: Recording, verdict: Document, folder: Path) -> None:
    """Write report.html, report.md, junit.xml and figures/*.svg.

    Each file is written beside its place and then moved into it, so that a reader
    never meets half a report.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict, as verdict.json holds it.
    folder : Path
        Where to; made when it is not there.
    """
    illustrations = illustrate(recording, verdict)
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for figure in illustrations:
        _write(folder / FIGURES / f"{figure.name}.svg", figure.svg)
    _write(folder / HTML, render_html(recording, verdict, illustrations))
    _write(folder / MARKDOWN, render_markdown(recording.manifest, verdict, recording.events))
    _write(folder / JUNIT, render_junit(recording.manifest, verdict))


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    # A lone surrogate, which a name may hold, is written as the sign for "unreadable".
    beside.write_bytes(text.encode("utf-8", errors="replace"))
    beside.replace(path)
