"""From a run folder to its verdict: consolidate, judge, write, report."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.recording.format import MANIFEST, VERDICT
from analysis.recording.reader import Recording, read_manifest, read_run
from analysis.recording.streams import consolidate, stream_paths
from analysis.verdict import judge
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
    try:
        verdict = json.loads((folder / VERDICT).read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFolderError(
            f"{folder / VERDICT}: is damaged: {error}", hint="judge again: trueload check"
        ) from error
    with told_where(folder):
        consolidated(folder)
        _write_reports(read_run(folder, SHOWN), verdict, folder)
    return dict(verdict)


def consolidated(folder: Path) -> None:
    """Write samples.parquet once, and note in the manifest how far the streams went.

    Raises
    ------
    RunFolderError
        When a stream or its names are damaged.
    """
    manifest = read_manifest(folder)
    if "streams" in manifest or not stream_paths(folder):
        return
    try:
        ends = consolidate(folder)
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise RunFolderError(f"{folder}: is damaged: {type(error).__name__}: {error}") from error
    manifest["streams"] = [
        {"process": end.process, "rows": end.rows, "torn": end.torn} for end in ends
    ]
    _write_json(folder / MANIFEST, manifest)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    beside = path.with_suffix(".json.part")
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.rename(path)
