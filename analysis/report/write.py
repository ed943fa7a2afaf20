"""Writes the reports of a run: the only place of the reports that touches files."""

from __future__ import annotations

from collections.abc import Mapping
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

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict, as verdict.json holds it.
    folder : Path
        Where to; made when it is not there.
    """
    write_rendered(render_reports(recording, verdict), folder)


def render_reports(recording: Recording, verdict: Document) -> dict[str, str]:
    """Render every report of a run, and write none.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict, as verdict.json holds it.

    Returns
    -------
    dict of str to str
        Texts by their paths in the folder.
    """
    illustrations = illustrate(recording, verdict)
    figures = {f"{FIGURES}/{figure.name}.svg": figure.svg for figure in illustrations}
    return figures | {
        HTML: render_html(recording, verdict, illustrations),
        MARKDOWN: render_markdown(recording.manifest, verdict, recording.events),
        JUNIT: render_junit(recording.manifest, verdict),
    }


def write_rendered(texts: Mapping[str, str], folder: Path) -> None:
    """Write reports that were rendered.

    Each file is written beside its place and then moved into it, so that a reader
    never meets half a report.

    Parameters
    ----------
    texts : mapping of str to str
        As :func:`render_reports` gives them.
    folder : Path
        Where to; made when it is not there.
    """
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    # A lone surrogate, which a name may hold, is written as the sign for "unreadable".
    beside.write_bytes(text.encode("utf-8", errors="replace"))
    beside.replace(path)
