"""What may be compared: the same load on the same data by the same machine.

Three kinds of facts of a run are told apart. What *must* be equal, or a difference is
not the system's: load, data, machine. What is *compared*: the system itself, its
options, its address. What *surrounds* both: kernel, Python, packages, the commit of the
folder that the command was given in; told, not refused.

The seed of the load surrounds runs that vary in it: what it does is in their variance then. Where
each side has one, and another one, nobody can tell its effect from the system's, and it must be
equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from analysis.ran_on import ran_on
from scenarios.model import Scenario

Facts = Mapping[str, Any]
"""Of a run: by dotted key, values as JSON has them; None where nobody knows."""

_MUST = ("scenario", "load", "personas", "faults", "stop", "dataset", "machine", "processes")
_SURROUNDING = ("kernel", "python", "packages", "budgets", "seed", "folder")

SEED = "seed"
"""What the users' and the arrivals' chances are drawn from: ``load.seed``, else ``target.seed``."""

MUST_BE_EQUAL = (*_MUST, SEED)
"""Groups of keys that runs must share, unless a difference is allowed by name: the seed where
each side has one alone."""

FOLDER_COMMIT = "folder.commit"
"""Of the folder that the command was given in: it may be the system's, and need not be."""

_MISSING = "-"
_DIGEST = 12


class Kind(StrEnum):
    """What a fact of a run is for a comparison."""

    MUST = "must be equal"
    COMPARED = "compared"
    SURROUNDING = "surrounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact in which runs differ.

    Attributes
    ----------
    key : str
        Which, ``"load.stages"`` say.
    kind : Kind
        What it is for a comparison.
    base, candidate : tuple of str
        Values of each side in words, each once.
    allowed : bool
        Whether it was allowed by name.
    """

    key: str
    kind: Kind
    base: tuple[str, ...]
    candidate: tuple[str, ...]
    allowed: bool = False

    @property
    def uneven(self) -> bool:
        """Whether the runs of one side differ among themselves."""
        return len(self.base) > 1 or len(self.candidate) > 1

    @property
    def refused(self) -> bool:
        """Whether the runs cannot be compared because of it."""
        if self.allowed or self.kind is Kind.SURROUNDING:
            return False
        return self.kind is Kind.MUST or self.uneven

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON does."""
        return {
            "key": self.key,
            "kind": str(self.kind),
            "base": list(self.base),
            "candidate": list(self.candidate),
            "allowed": self.allowed,
        }


def facts_of(manifest: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Collect what a run was: load, data, machine, system, surroundings.

    Parameters
    ----------
    manifest : mapping
        Of the run.
    scenario : Scenario
        As it was run.

    Returns
    -------
    dict
        By dotted key.
    """
    target = manifest.get("target") or {}
    environment = manifest.get("environment") or {}
    return {
        "scenario": scenario.name,
        **_load(scenario),
        **{
            f"personas.{name}": _digest(persona)
            for name, persona in sorted(scenario.personas.items())
        },
        "faults": [
            f"{fault.kind} {fault.process} at {fault.at_s:g} s for {fault.lasts_s:g} s"
            for fault in scenario.faults
        ],
        "stop": None if scenario.stop is None else str(scenario.stop),
        **_data(target, scenario),
        **_machine(manifest, environment),
        **dict(_system(target, scenario)),
        FOLDER_COMMIT: (manifest.get("tags") or {}).get("commit"),
        SEED: scenario.load_seed,
        "kernel": environment.get("kernel"),
        "python": environment.get("python"),
        **{
            f"packages.{name}": version
            for name, version in sorted((environment.get("packages") or {}).items())
        },
        "budgets": sorted(f"{b.subject}: {b.assertion.text}" for b in scenario.budgets),
    }


def _load(scenario: Scenario) -> dict[str, Any]:
    """Every setting of the load, named as a scenario's file names it."""
    load = scenario.load
    settings = {
        f"load.{field.name.removesuffix('_s')}": getattr(load, field.name)
        for field in fields(load)
        if field.name != "seed"  # repetitions may differ in it
    }
    return settings | {
        "load.stages": [
            f"{load.named(stage.level)}: ramp {stage.ramp_s:g} s, hold {stage.hold_s:g} s"
            for stage in load.stages
        ],
        "load.mix": {name: f"{weight:g}" for name, weight in sorted(load.mix.items())},
        "load.locustfile": load.locustfile.name if load.locustfile else None,
    }


def _digest(thing: object) -> str:
    """Write something long so that it differs when the thing does."""
    return hashlib.sha256(repr(thing).encode()).hexdigest()[:_DIGEST]


def _data(target: Mapping[str, Any], scenario: Scenario) -> dict[str, Any]:
    """Name the data: of a CRM that we filled its size and seed; of any what it says itself."""
    ours = bool(target.get("app"))
    return {
        "dataset.customers": scenario.target.customers if ours else None,
        "dataset.seed": scenario.target.seed if ours else None,
        "dataset.hash": (target.get("dataset_hash") or "")[:_DIGEST] or None,
    }


def _machine(manifest: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    cores = ran_on(manifest)
    memory = environment.get("memory_bytes")
    return {
        "machine.cpu": environment.get("cpu"),
        "machine.cores": environment.get("cores"),
        "machine.memory": f"{memory / 2**30:.1f} GiB" if memory else None,
        "machine.cores_of_target": _number(cores["target"]),
        "machine.cores_of_generators": [_number(each) for each in cores["generators"]],
        "processes": len(manifest.get("generators") or ()),
    }


def _number(cores: list[int] | str | None) -> int | str | None:
    return len(cores) if isinstance(cores, list) else cores


def _system(target: Mapping[str, Any], scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """Tell what the system is; one that we started has another port each time."""
    if not target.get("app"):
        yield "target.url", target.get("url")
    for key in (
        "app", "server", "workers", "threads", "database", "database_version", "commit",
        "extensions", "test_mode",
    ):  # fmt: skip
        yield f"target.{key}", target.get(key)
    yield "target.headers", sorted(scenario.target.headers)
    for name, value in sorted((target.get("options") or {}).items()):
        yield f"target.options.{name}", value


def kind_of(key: str) -> Kind:
    """Say what a fact is for a comparison, by its key; of seeds :func:`differences` says it."""
    group = key.partition(".")[0]
    if group in _MUST:
        return Kind.MUST
    return Kind.SURROUNDING if group in _SURROUNDING else Kind.COMPARED


def differences(
    base: Sequence[Facts], candidate: Sequence[Facts], *, allowed: Sequence[str] = ()
) -> tuple[Difference, ...]:
    """Find the facts in which runs differ, between the sides or within one.

    Parameters
    ----------
    base, candidate : sequence of mapping
        Of each run, as :func:`facts_of` gives them; at least one a side.
    allowed : sequence of str
        Keys, or groups of keys (``"machine"``), that may differ.

    Returns
    -------
    tuple of Difference
        What must be equal first.
    """
    keys = dict.fromkeys(key for run in (*base, *candidate) for key in run)
    found = []
    for key in keys:
        sides = [_values(side, key) for side in (base, candidate)]
        alike = set(sides[0]) == set(sides[1])
        one_each = all(len(side) == 1 for side in sides)
        kind = Kind.MUST if key == SEED and one_each else kind_of(key)
        if alike and (one_each or kind is Kind.SURROUNDING):
            continue  # what varies on both sides in the same way falls on both alike
        found.append(
            Difference(
                key=key,
                kind=kind,
                base=sides[0],
                candidate=sides[1],
                allowed=any(key == name or key.startswith(f"{name}.") for name in allowed),
            )
        )
    return tuple(sorted(found, key=lambda difference: list(Kind).index(difference.kind)))


def shared(runs: Sequence[Facts]) -> dict[str, str]:
    """Find what all runs have in common of what must be equal, and of the system.

    Parameters
    ----------
    runs : sequence of mapping
        As :func:`facts_of` gives them; at least one.

    Returns
    -------
    dict of str to str
        By key, in words; what nobody knows is left out.
    """
    found = {}
    for key in dict.fromkeys(key for run in runs for key in run):
        values = _values(runs, key)
        if len(values) == 1 and values[0] != _MISSING and kind_of(key) is not Kind.SURROUNDING:
            found[key] = values[0]
    return found


def _values(runs: Sequence[Facts], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_words(run.get(key)) for run in runs))


def _words(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_words(part) for part in value) or _MISSING
    return str(value)
