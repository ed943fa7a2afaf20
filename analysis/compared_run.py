"""A recorded run as a comparison takes it: its verdict, its facts, when it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.comparable import Facts, facts_of
from analysis.recording.damage import told_as_damage
from analysis.recording.format import MANIFEST, VERDICT
from analysis.recording.manifest import read_manifest, recorded_scenario
from analysis.run_order import When
from analysis.run_values import INDICATORS, RunValues, required_stage
from analysis.verdict_file import hint_of, known_verdict
from scenarios.counting import agreeing, count_of
from scenarios.errors import InvalidRuns, NotComparable


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run that may be compared.

    Attributes
    ----------
    folder : Path
        Where it lies.
    verdict : mapping
        As in verdict.json.
    manifest : mapping
        As its supervisor wrote it.
    facts : mapping
        What it was, by dotted key.
    when : When
        When it began and ended.
    owner : str or None
        Whose its expectations are.
    """

    folder: Path
    verdict: Mapping[str, Any]
    manifest: Mapping[str, Any]
    facts: Facts
    when: When
    owner: str | None = None

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.verdict["run"])

    @property
    def values(self) -> RunValues:
        """Its numbers at the required stage.

        Raises
        ------
        NotComparable
            When it was not held to its end.
        """
        stage = required_stage(self.verdict)
        if stage is None:
            raise NotComparable(f"{self.name}: the required stage was not held to its end")
        return RunValues(run=self.name, stage=stage)

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "run": self.name,
            "started": self.manifest.get("started"),
            "verdict": self.verdict["verdict"],
            "group": self.manifest.get("group"),
            "role": self.manifest.get("role"),
            "sequence": self.manifest.get("sequence"),
        }


def read_compared(folder: Path) -> ComparedRun:
    """Read a run; one that was not judged yet is judged, and not written to.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    ComparedRun
        Which may still be invalid.

    Raises
    ------
    RunFolderError
        When the folder is no run, of a newer format, or damaged.
    """
    manifest = read_manifest(folder)
    scenario = recorded_scenario(folder, manifest)
    end = manifest.get("end") or {}
    with told_as_damage(folder / MANIFEST):
        facts = facts_of(manifest, scenario)
    return ComparedRun(
        folder=folder,
        verdict=_verdict(folder),
        manifest=manifest,
        facts=facts,
        when=When(start_s=_seconds(manifest.get("started")), end_s=_seconds(end.get("at"))),
        owner=scenario.owner,
    )


def _seconds(written: object) -> float | None:
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        return None


def _verdict(folder: Path) -> Mapping[str, Any]:
    if (folder / VERDICT).is_file():
        verdict = known_verdict(folder)
        if verdict is not None:
            with told_as_damage(folder / VERDICT, hint=hint_of(folder)):
                _look_through(verdict)
            return verdict
    from analysis.recording.reader import read_run  # noqa: PLC0415 - most runs are judged already
    from analysis.verdict import judge  # noqa: PLC0415 - the same

    return judge(read_run(folder))


def _look_through(verdict: Mapping[str, Any]) -> None:
    """Ask for the numbers that a comparison reads.

    Raises
    ------
    KeyError, TypeError
        When something is missing, or not what it should be.
    """
    verdict["validity"]["valid"]
    stage = required_stage(verdict)
    if stage is not None:
        values = RunValues(run=str(verdict["run"]), stage=stage)
        for subject in values.subjects:
            for indicator in INDICATORS:
                values.of(subject, indicator)


def check_runs(base: Sequence[ComparedRun], candidate: Sequence[ComparedRun]) -> None:
    """Refuse runs that say nothing of their target: twice the same, invalid, or cut short.

    Parameters
    ----------
    base, candidate : sequence of ComparedRun
        The runs of each side.

    Raises
    ------
    NotComparable
        When a run is named twice, or was not held to the end of its required stage.
    InvalidRuns
        When a run is not valid.
    """
    runs = [*base, *candidate]
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotComparable(
            f"{', '.join(twice)}: named twice; allowed: each run once, on one side",
            hint="list the runs there are with: trueload runs",
        )
    invalid = [run for run in runs if not run.verdict["validity"]["valid"]]
    if invalid:
        lines = "\n".join(f"  {run.name}: {_reasons(run)}" for run in invalid)
        raise InvalidRuns(
            f"{_count(invalid, runs)} not valid: nothing is known of the target\n{lines}",
            hint="make these runs again, or leave them out",
        )
    short = [run for run in runs if required_stage(run.verdict) is None]
    if short:
        lines = "\n".join(f"  {run.name}: {run.verdict['why']}" for run in short)
        raise NotComparable(
            f"{_count(short, runs)} not held to the end of the required stage\n{lines}",
            hint="what they did is told by their own reports: trueload report RUN",
        )


def _count(found: Sequence[ComparedRun], runs: Sequence[ComparedRun]) -> str:
    return f"{len(found)} of {count_of(len(runs), 'run')} {agreeing(len(found), 'were')}"


def _reasons(run: ComparedRun) -> str:
    reasons = run.verdict["validity"]["reasons"]
    more = f"; and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0]['message']}{more}" if reasons else str(run.verdict["why"])
