"""Reads a run folder, finished or cut off, into a Recording."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.recording.audit import Audit, read_audit
from analysis.recording.format import EVENTS, FORMAT, MANIFEST, PARQUET, RESOURCES, TIMELINE
from analysis.recording.frame import Columns, to_frame
from analysis.recording.streams import (
    StreamEnd,
    read_lines,
    read_samples,
    stream_paths,
)
from scenarios.errors import RunFolderError
from scenarios.loading import parse_scenario
from scenarios.model import Scenario
from scenarios.schedule import Schedule, as_extended, plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run as it was recorded.

    Attributes
    ----------
    folder : Path
        The run folder.
    manifest : dict
        As written by the supervisor.
    scenario : Scenario
        With every setting of the command line applied.
    schedule : Schedule
        Its stages in run time, as they were run: a hold may have been prolonged.
    samples : DataFrame, shape (n, columns)
        One row a request, in the order of intended starts, as
        :func:`analysis.recording.frame.to_frame` makes them.
    timeline, resources, events : list of dict
        As written, in order.
    streams : tuple of StreamEnd
        How far each stream could be read.
    audit : Audit
        What the target was asked about its writes.
    ended_s : float
        When the load ended, in seconds of run time.
    end_why : str
        ``"finished"``, ``"interrupted"``, ``"killed"``, ...
    """

    folder: Path
    manifest: dict[str, Any]
    scenario: Scenario
    schedule: Schedule
    samples: pd.DataFrame
    timeline: list[dict[str, Any]]
    resources: list[dict[str, Any]]
    events: list[dict[str, Any]]
    streams: tuple[StreamEnd, ...]
    audit: Audit
    ended_s: float
    end_why: str


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a run's manifest.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    RunFolderError
        When the folder is no run, or of a newer format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise RunFolderError(
            f"{folder}: found no {MANIFEST} in it; allowed: a run folder",
            hint="list the runs there are with: trueload runs",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunFolderError(f"{path}: is no manifest of a run ({error})") from error
    if not isinstance(version, int) or version > FORMAT:
        raise RunFolderError(
            f"{path}: found format {version!r}; allowed: up to {FORMAT}",
            hint="it was recorded by a newer Trueload: judge it with that one",
        )
    return dict(manifest)


def read_run(folder: Path, columns: Collection[str] | None = None) -> Recording:
    """Read a run folder.

    Parameters
    ----------
    folder : Path
        The run folder; its streams are read when it was never consolidated.
    columns : collection of str, optional
        Of the samples, only these: less memory where not all are asked for.

    Returns
    -------
    Recording
        Everything that was recorded.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    """
    manifest = read_manifest(folder)
    try:
        scenario = parse_scenario(manifest["scenario"], name=str(folder.name), folder=None)
        timeline = read_lines(folder / TIMELINE)
        resources = read_lines(folder / RESOURCES)
        events = read_lines(folder / EVENTS)
        recorded, streams = _samples(folder, manifest)
        samples = to_frame(recorded, clock_offsets(manifest), columns)
        audit = read_audit(folder)
    except (KeyError, ValueError, TypeError, FileNotFoundError, pa.ArrowException) as error:
        raise RunFolderError(f"{folder}: is damaged: {type(error).__name__}: {error}") from error
    ended_s, why = _end(manifest, timeline, samples)
    return Recording(
        folder=folder,
        manifest=manifest,
        scenario=scenario,
        schedule=as_extended(plan(scenario), events),
        samples=samples,
        timeline=timeline,
        resources=resources,
        events=events,
        streams=tuple(streams),
        audit=audit,
        ended_s=ended_s,
        end_why=why,
    )


def _samples(folder: Path, manifest: dict[str, Any]) -> tuple[Columns, list[StreamEnd]]:
    if not (folder / PARQUET).is_file():
        table, ends = read_samples(folder)
        return Columns.of_table(table), ends
    try:
        columns = Columns.of_parquet(folder / PARQUET)
    except (pa.ArrowException, OSError):
        if not stream_paths(folder):
            raise
        table, ends = read_samples(folder)  # damaged, and what it was made of is there
        return Columns.of_table(table), ends
    return columns, [StreamEnd(**end) for end in manifest.get("streams", [])]


def clock_offsets(manifest: dict[str, Any]) -> dict[int, float]:
    """Tell what the times of each process lack to be run time.

    Parameters
    ----------
    manifest : dict
        Of a run.

    Returns
    -------
    dict of int to float
        Microseconds to add, by process.
    """
    return {
        process["process"]: float(process["clock"]["offset_us"])
        for process in manifest.get("generators", [])
    }


def _end(
    manifest: dict[str, Any], timeline: list[dict[str, Any]], samples: pd.DataFrame
) -> tuple[float, str]:
    end = manifest.get("end")
    if end is not None:
        return float(end["load_ended_s"]), str(end["why"])
    last = [float(line["t_s"]) for line in timeline[-1:]]
    if len(samples):
        last.append(float(samples["end_s"].max()))
    return max(last, default=0.0), "killed"
