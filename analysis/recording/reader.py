"""Reads a run folder, finished or cut off, into a Recording."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.recording.audit import Audit, read_audit
from analysis.recording.damage import DAMAGE, told_as_damage
from analysis.recording.format import EVENTS, PARQUET, RESOURCES, TIMELINE
from analysis.recording.frame import Columns, to_frame
from analysis.recording.manifest import read_manifest, recorded_scenario
from analysis.recording.streams import (
    StreamEnd,
    read_lines,
    read_samples,
    stream_paths,
)
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
    scenario = recorded_scenario(folder, manifest)
    with told_as_damage(folder):
        timeline = read_lines(folder / TIMELINE)
        resources = read_lines(folder / RESOURCES)
        events = read_lines(folder / EVENTS)
        schedule = as_extended(plan(scenario), events)
        samples, streams = _samples(folder, manifest, columns)
        audit = read_audit(folder)
        ended_s, why = _end(manifest, timeline, samples)
    return Recording(
        folder=folder,
        manifest=manifest,
        scenario=scenario,
        schedule=schedule,
        samples=samples,
        timeline=timeline,
        resources=resources,
        events=events,
        streams=tuple(streams),
        audit=audit,
        ended_s=ended_s,
        end_why=why,
    )


def _samples(
    folder: Path, manifest: dict[str, Any], wanted: Collection[str] | None
) -> tuple[pd.DataFrame, list[StreamEnd]]:
    # from the streams where the file that is made of them is not there, or damaged
    offsets = clock_offsets(manifest)
    if (folder / PARQUET).is_file():
        try:
            samples = to_frame(Columns.of_parquet(folder / PARQUET), offsets, wanted)
            return samples, [StreamEnd(**end) for end in manifest.get("streams", [])]
        except (*DAMAGE, OSError):  # also only when a column is read: it is read page by page
            if not stream_paths(folder):
                raise
    table, ends = read_samples(folder)
    return to_frame(Columns.of_table(table), offsets, wanted), ends


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
