"""Several runs of one scenario side by side: what differs, by endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.data_growth import growth_rows, unjudged_row
from analysis.decision import Verdict, together
from analysis.estimate import Estimate, not_estimable
from analysis.growth import Growth, growth
from analysis.indicator import Indicator
from analysis.repetitions import over_runs
from scenarios.model import GrowthExpectation

Document = Mapping[str, Any]
"""verdict.json of a run."""

EstimateDict = Mapping[str, Any]

VOLUME = "target.customers"
"""The setting that is the volume of data: orders and feedback follow from it."""

GROWTH_LEVELS = ("p50", "p95")

ASSUMED = GrowthExpectation()

SEEDS = frozenset({"target.seed", "load.seed"})
"""Settings in which repetitions of one run differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One of the runs: what was set in it, and what came of it.

    Attributes
    ----------
    settings : mapping
        What was varied, by dotted key.
    run, verdict : str
        Its name, and its verdict.
    throughput, error_ratio : mapping
        Estimates of the stage that is shown.
    left_out : str or None
        Why it has no part in what is told of several runs together; None where it has.
    """

    settings: Mapping[str, Any]
    run: str
    verdict: str
    throughput: EstimateDict
    error_ratio: EstimateDict
    left_out: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does.

        Returns
        -------
        dict
            Plain numbers, texts, lists, dicts and None.
        """
        return {
            "settings": dict(self.settings),
            "run": self.run,
            "verdict": self.verdict,
            "throughput": dict(self.throughput),
            "error_ratio": dict(self.error_ratio),
            "left_out": self.left_out,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Runs that differ in a seed alone, together.

    Attributes
    ----------
    settings : mapping
        What they share of what was varied.
    runs : int
        How many there are; those that are left out are not among them.
    throughput, error_ratio : Estimate
        Over the runs.
    p95 : dict of str to Estimate
        By endpoint (``"all"`` first).
    """

    settings: Mapping[str, Any]
    runs: int
    throughput: Estimate
    error_ratio: Estimate
    p95: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does.

        Returns
        -------
        dict
            Plain numbers, texts, lists, dicts and None.
        """
        return {
            "settings": dict(self.settings),
            "runs": self.runs,
            "throughput": self.throughput.as_dict(),
            "error_ratio": self.error_ratio.as_dict(),
            "p95": {name: estimate.as_dict() for name, estimate in self.p95.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Runs side by side.

    Attributes
    ----------
    columns : tuple of Column
        In the order in which they were run.
    p95 : dict of str to list of (mapping or None)
        By endpoint (``"all"`` first), an estimate for each column; None where the
        endpoint was sent no request.
    verdict : Verdict
        Of all together: invalid, else failed, else inconclusive, else passed; what
        the scenario states of growth is judged with them.
    growth : dict of str to dict of str to Growth
        By endpoint and percentile, where the runs differ in the volume of data alone, or in
        seeds beside it: each is a point.
    repeated : tuple of Repeated
        Where a seed was varied: the runs of each setting together.
    scorecard : tuple of Indicator
        What takes several runs to be told: growth with the volume of data.
    on_growth : Verdict
        Of what the scenario states of growth; unjudged where it states nothing.
    """

    columns: tuple[Column, ...]
    p95: dict[str, list[EstimateDict | None]]
    verdict: Verdict
    growth: dict[str, dict[str, Growth]]
    repeated: tuple[Repeated, ...] = ()
    scorecard: tuple[Indicator, ...] = ()
    on_growth: Verdict = Verdict.UNJUDGED

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does.

        Returns
        -------
        dict
            Plain numbers, texts, lists, dicts and None.
        """
        return {
            "format": 1,
            "verdict": str(self.verdict),
            "runs": [column.as_dict() for column in self.columns],
            "p95": {
                name: [None if e is None else dict(e) for e in estimates]
                for name, estimates in self.p95.items()
            },
            "growth": {
                name: {level: growth.as_dict() for level, growth in levels.items()}
                for name, levels in self.growth.items()
            },
            "repeated": [repeated.as_dict() for repeated in self.repeated],
            "scorecard": [row.as_dict() for row in self.scorecard],
        }


def across(
    runs: Sequence[tuple[Mapping[str, Any], Document]], expected: GrowthExpectation = ASSUMED
) -> Across:
    """Lay runs side by side, each at the stage that its report shows.

    Parameters
    ----------
    runs : sequence of (mapping, mapping)
        What was set, and verdict.json.
    expected : GrowthExpectation
        How fast times may grow with the volume of data.

    Returns
    -------
    Across
        Endpoints by name, after ``"all"``.
    """
    shown = [_shown(document) for _, document in runs]
    names = sorted({part["name"] for stage in shown for part in stage["endpoints"]})
    p95: dict[str, list[EstimateDict | None]] = {
        "all": [stage["latency"]["p95"] for stage in shown]
    }
    for name in names:
        p95[name] = [_p95(stage, name) for stage in shown]
    columns = tuple(
        Column(
            settings=settings,
            run=str(document["run"]),
            verdict=str(document["verdict"]),
            throughput=stage["throughput"],
            error_ratio=stage["error_ratio"],
            left_out=_left_out(document),
        )
        for (settings, document), stage in zip(runs, shown, strict=True)
    )
    verdicts = [Verdict(column.verdict) for column in columns]
    found = _growth(columns, shown)
    scorecard = growth_rows(found, expected, whole=all(c.left_out is None for c in columns))
    if not scorecard and expected.stated and any(VOLUME in c.settings for c in columns):
        scorecard = (unjudged_row(expected, _why_no_growth(columns)),)
    judged = [Verdict(row.verdict) for row in scorecard] if expected.stated else []
    return Across(
        columns=columns,
        p95=p95,
        verdict=together([*verdicts, *judged]),
        growth=found,
        repeated=_repeated(columns, p95),
        scorecard=scorecard,
        on_growth=together(judged),
    )


def _left_out(document: Document) -> str | None:
    """Say why a run cannot be put together with others: it speaks of another load, or of none."""
    if Verdict(document["verdict"]) is Verdict.INVALID:
        return "it is invalid"
    ended = document["ended"]
    if not ended["complete"]:
        why = f"its required stage was not run to its end ({ended['why']})"
        return f"{why}, and the table shows how far it came"
    return None


def _repeated(
    columns: Sequence[Column], p95: Mapping[str, Sequence[EstimateDict | None]]
) -> tuple[Repeated, ...]:
    """Put runs together that differ in a seed alone, where one was varied."""
    if not any(SEEDS & set(column.settings) for column in columns):
        return ()
    groups: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        rest = {key: value for key, value in column.settings.items() if key not in SEEDS}
        members = groups.setdefault(repr(rest), [])
        if column.left_out is None:
            members.append(index)
    return tuple(
        Repeated(
            settings={k: v for k, v in columns[of[0]].settings.items() if k not in SEEDS},
            runs=len(of),
            throughput=over_runs([Estimate(**columns[i].throughput) for i in of]),
            error_ratio=over_runs([Estimate(**columns[i].error_ratio) for i in of]),
            p95={
                name: over_runs([Estimate(**e) for e in (found[i] for i in of) if e is not None])
                for name, found in p95.items()
            },
        )
        for of in groups.values()
        if of
    )


def _growth(columns: Sequence[Column], shown: Sequence[Document]) -> dict[str, dict[str, Growth]]:
    """Say how each operation's time grows, where only the volume of data and seeds were varied."""
    if any(set(each.settings) - SEEDS != {VOLUME} for each in columns) or len(columns) <= 1:
        return {}
    chosen = [
        (c.settings[VOLUME], s) for c, s in zip(columns, shown, strict=True) if not c.left_out
    ]
    volumes = [float(volume) for volume, _ in chosen]
    parts = [{"all": stage, **{p["name"]: p for p in stage["endpoints"]}} for _, stage in chosen]
    names = list(dict.fromkeys(name for part in parts for name in part))
    return {
        name: {
            level: growth(
                volumes,
                [_latency(part.get(name), level) for part in parts],
                family=max(1, len(names) - 1),
            )
            for level in GROWTH_LEVELS
        }
        for name in names
    }


def _why_no_growth(columns: Sequence[Column]) -> str:
    """Say why runs among which the volume was varied tell nothing of growth."""
    others = sorted({key for column in columns for key in column.settings} - SEEDS - {VOLUME})
    if others:
        return f"{', '.join(others)} varied beside the volume"
    if all(column.left_out for column in columns):
        return "no run can be used"
    return "a single run has a single volume"


def _latency(part: Document | None, level: str) -> Estimate:
    if part is None:
        return not_estimable("no request")
    return Estimate(**part["latency"][level])


def _shown(document: Document) -> Document:
    """Find the required stage; where it was not run, the last one that was."""
    stages: list[Document] = list(document["stages"])
    at_required = [stage for stage in stages if stage["level"] == document["required"]]
    run = [stage for stage in stages if stage["hold"][1] > stage["hold"][0]]
    return ([s for s in at_required if s in run] or run or stages)[-1]


def _p95(stage: Document, name: str) -> EstimateDict | None:
    for part in stage["endpoints"]:
        if part["name"] == name:
            estimate: EstimateDict = part["latency"]["p95"]
            return estimate
    return None
