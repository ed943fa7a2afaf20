"""From a run folder to its verdict: consolidate, judge, write, report."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from analysis.recording.damage import DAMAGE, damage_words, words_of
from analysis.recording.format import MANIFEST, PARQUET, VERDICT
from analysis.recording.manifest import read_manifest
from analysis.recording.reader import Recording, read_run
from analysis.recording.streams import consolidate, stream_paths
from analysis.verdict import judge
from analysis.verdict_file import hint_of, read_verdict
from analysis.windows import columns_of
from scenarios.errors import RunFolderError, TrueloadError
from scenarios.model import Budget

SHOWN = (
    "name", "endpoint", "outcome", "intended_s", "sent_us", "end_s", "latency_ms",
    "good", "bad", "censored",
)  # fmt: skip
"""Columns of the samples that figures are drawn from; all else is in the verdict."""


def finish(
    folder: Path,
    *,
    budgets: tuple[Budget, ...] | None = None,
    on_inconclusive: str | None = None,
    report: bool = True,
) -> dict[str, Any]:
    """Judge a recorded run and write what is known of it.

    Parameters
    ----------
    folder : Path
        The run folder; it may have been cut off.
    budgets : tuple of Budget, optional
        Instead of the scenario's own.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what an inconclusive run counts as.
    report : bool
        Whether to render the reports too.

    Returns
    -------
    dict
        The verdict, as in ``verdict.json``.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    TrueloadError
        When it cannot be written to.
    """
    with told_where(folder):
        consolidated(folder)
        recording = read_run(folder)
        verdict = judge(recording, budgets=budgets, on_inconclusive=on_inconclusive)
        _write_json(folder / VERDICT, verdict)
        # What was judged is let go of before figures are drawn: they show less.
        shown = replace(recording, samples=columns_of(recording.samples, *SHOWN))
        del recording
        if report:
            _write_reports(shown, verdict, folder)
    return verdict


def _write_reports(recording: Recording, verdict: dict[str, Any], folder: Path) -> None:
    from analysis.report.write import write_reports  # noqa: PLC0415 - a tenth of the memory

    write_reports(recording, verdict, folder)


@contextmanager
def told_where(folder: Path) -> Iterator[None]:
    """Say which folder could not be read or written.

    Raises
    ------
    TrueloadError
        Instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        for unfinished in folder.glob("*.part"):
            with contextlib.suppress(OSError):
                unfinished.unlink()
        raise TrueloadError(
            f"{folder}: cannot be judged: {error}; what was recorded is kept",
            hint=f"make room there, or copy the folder, then: trueload check {folder}",
        ) from error


def report_again(folder: Path) -> dict[str, Any]:
    """Render the reports of a run again, from its verdict; judge it when it has none.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict
        The verdict that the reports tell.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    TrueloadError
        When it cannot be written to.
    """
    read_manifest(folder)
    if not (folder / VERDICT).is_file():
        return finish(folder)
    verdict = read_verdict(folder)
    with told_where(folder):
        consolidated(folder)
        _write_again(read_run(folder, SHOWN), verdict, folder)
    return verdict


def _write_again(recording: Recording, verdict: dict[str, Any], folder: Path) -> None:
    """Render everything before anything is written: a damaged verdict spoils no report.

    Raises
    ------
    RunFolderError
        When verdict.json is damaged.
    """
    from jinja2 import TemplateError  # noqa: PLC0415 - with the reports

    from analysis.report.write import (  # noqa: PLC0415 - a tenth of the memory
        render_reports,
        write_rendered,
    )

    try:
        texts = render_reports(recording, verdict)
    except (*DAMAGE, TemplateError) as error:
        found = damage_words(folder / VERDICT, [words_of(error)])
        raise RunFolderError(found, hint=hint_of(folder)) from error
    write_rendered(texts, folder)


def consolidated(folder: Path, *, anew: bool = False) -> None:
    """Write samples.parquet where it is not there or does not open; note how far the streams went.

    Parameters
    ----------
    folder : Path
        The run folder.
    anew : bool
        Whether it is written anew also where it opens: some of it was found damaged.

    Raises
    ------
    RunFolderError
        When the manifest, a stream or its names are damaged.
    """
    manifest = read_manifest(folder)
    is_there = "streams" in manifest and not anew and _opens(folder / PARQUET)
    if is_there or not stream_paths(folder):
        return
    try:
        ends = consolidate(folder)
    except DAMAGE as error:
        raise RunFolderError(damage_words(folder, [words_of(error)])) from error
    manifest["streams"] = [
        {"process": end.process, "rows": end.rows, "torn": end.torn} for end in ends
    ]
    _write_json(folder / MANIFEST, manifest)


def _opens(samples: Path) -> bool:
    try:
        pq.read_schema(samples)
    except (*DAMAGE, OSError):
        return False
    return True


def _write_json(path: Path, document: dict[str, Any]) -> None:
    beside = path.with_suffix(".json.part")
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.rename(path)
