"""What was asked, and in what surroundings: pairs of a name and a text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.recording.reader import Recording
from analysis.report.cores import cores_of_target, cores_words, generators_words
from analysis.report.load_names import people
from analysis.report.tables import Document
from analysis.report.typography import clean
from analysis.report.words import count, duration, number
from scenarios.counting import with_unit
from scenarios.crm_options import as_settings
from scenarios.schedule import settle_s

Fact = tuple[str, str]

_GIB = 2**30


def asked(recording: Recording, verdict: Document) -> list[Fact]:
    """Say what load was asked of what.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict.

    Returns
    -------
    list of (str, str)
        Scenario, target, load, users.
    """
    load = recording.scenario.load
    users = people(load.think_scale, load.unit)
    steps = ", ".join(
        f"{stage.level:,.10g} for {duration(stage.hold_s)}"
        + (f" (ramp {duration(stage.ramp_s)})" if stage.ramp_s else "")
        for stage in load.stages
    )
    facts = [
        ("Scenario", clean(verdict.get("scenario"))),
        ("Target", _target(recording)),
        (
            "Target ran",
            cores_of_target(verdict) or "on cores that are not known: Trueload did not start it",
        ),
        ("Load", f"{load.model} model, {users}: {steps}"),
        *_of_arrivals(recording),
        ("Load came from", generators_words(verdict)),
        ("Required", with_unit(load.required, users)),
        ("Before each hold", f"{duration(settle_s(recording.scenario))} to settle, not judged"),
        ("Timeout", f"{duration(load.timeout_s)} for a request"),
    ]
    if load.warmup_s:
        facts.append(("Warm-up", f"{duration(load.warmup_s)}, not judged"))
    if load.mix:
        facts.append(("Mix", f"{_mix(load.mix)} (an assumption: no mix for such systems is known)"))
    if load.locustfile is not None:
        facts.append(("Locustfile", clean(load.locustfile.name)))
    facts += _of_acting(recording)
    return [(name, text) for name, text in facts if text]


def _of_arrivals(recording: Recording) -> list[Fact]:
    load = recording.scenario.load
    if not load.is_open:
        return []
    spacing = {"poisson": "at random (Poisson)", "even": "evenly spaced"}[load.arrivals]
    return [
        ("Arrivals", f"of clicks, {spacing}, by the seed"),
        ("Virtual users", f"{count(load.max_users)}, each for one click at a time"),
    ]


def _of_acting(recording: Recording) -> list[Fact]:
    """Tell what the scenario asks for beside load."""
    scenario, facts = recording.scenario, []
    if scenario.faults:
        faults = (
            f"{fault.kind} of the {fault.process} at {duration(fault.at_s)}"
            + (f" for {duration(fault.lasts_s)}" if fault.lasts_s else "")
            for fault in scenario.faults
        )
        facts.append(("Faults", "; ".join(faults)))
    if scenario.stop is not None:
        facts.append(("Stop rule", clean(scenario.stop.text)))
    if scenario.load.extend_s:
        longest = duration(scenario.load.extend_s)
        facts.append(("Held on", f"for at most {longest} while a budget is undecided"))
    return facts


def _mix(mix: Mapping[str, float]) -> str:
    total = sum(mix.values())
    return ", ".join(
        f"{number(weight / total * 100, digits=2)} % {clean(name).replace('_', ' ')}"
        for name, weight in mix.items()
    )


def _target(recording: Recording) -> str:
    target = recording.manifest.get("target") or {}
    parts = [
        "the reference CRM" if target.get("app") == "crm" else clean(target.get("app") or ""),
        clean(target.get("url") or recording.scenario.target.url or ""),
        clean(target.get("server") or ""),
        _counted(target, "workers", "server process", "server processes"),
        _counted(target, "threads", "thread each", "threads each"),
        clean(f"{target.get('database') or ''} {target.get('database_version') or ''}".strip()),
        _counted(target, "customers", "customer", "customers"),
        f"dataset {clean(target['dataset_hash'])[:12]}" if target.get("dataset_hash") else "",
        *map(clean, as_settings(recording.scenario.target.options)),
        *(f"with {clean(name)}" for name in recording.scenario.target.extensions),
    ]
    return ", ".join(part for part in parts if part)


def _counted(target: Mapping[str, Any], key: str, one: str, many: str) -> str:
    value = target.get(key)
    return f"{count(value)} {one if value == 1 else many}" if isinstance(value, int) else ""


def surroundings(manifest: Mapping[str, Any]) -> list[Fact]:
    """Say on what the run was made; what nobody wrote down is left out.

    Parameters
    ----------
    manifest : mapping
        The run's manifest.

    Returns
    -------
    list of (str, str)
        Run, machine, software, seeds.
    """
    return [(name, text) for name, text in _surroundings(manifest) if text]


def _surroundings(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    yield "Run", clean(manifest.get("run"))
    yield "Started", clean(manifest.get("started"))
    for name, value in (manifest.get("tags") or {}).items():
        yield clean(name).capitalize(), clean(value)
    environment = manifest.get("environment") or {}
    memory = environment.get("memory_bytes")
    yield "Processor", clean(environment.get("cpu"))
    yield "Cores", clean(environment.get("cores"))
    yield "Memory", f"{memory / _GIB:.3g} GiB" if isinstance(memory, int | float) else ""
    yield "Kernel", clean(environment.get("kernel"))
    yield "Python", clean(environment.get("python"))
    packages = environment.get("packages") or {}
    yield "Packages", ", ".join(f"{clean(k)} {clean(v)}" for k, v in sorted(packages.items()))
    yield "Target ran on", cores_words((manifest.get("target") or {}).get("cores"))
    generators = manifest.get("generators") or []
    yield "Generators", f"{len(generators)} process{'' if len(generators) == 1 else 'es'}"
    for generator in generators:
        yield f"Generator {generator.get('process')} ran on", cores_words(generator.get("cores"))
    clocks = [generator.get("clock", {}).get("uncertainty_us") for generator in generators]
    known = [float(clock) for clock in clocks if clock is not None]
    yield "Clocks", f"known to {max(known):.3g} µs" if known else ""
    seeds = manifest.get("seeds") or {}
    if isinstance(seeds, Mapping):
        seeds = [f"{clean(name)} {clean(seed)}" for name, seed in seeds.items()]
    yield "Seeds", _list(seeds)


def _list(values: Any) -> str:
    if isinstance(values, list | tuple):
        return ", ".join(clean(value) for value in values)
    return clean(values)


def commands(recording: Recording, verdict: Document) -> list[Fact]:
    """Give the commands that repeat the run, and its judging.

    Parameters
    ----------
    recording : Recording
        The run.
    verdict : mapping
        Its verdict.

    Returns
    -------
    list of (str, str)
        What a command does, and the command.
    """
    command = recording.manifest.get("command")
    folder = f"runs/{verdict.get('run')}"
    if isinstance(command, list | tuple):
        words = [str(word) for word in command]
        folder = f"{_out(words)}/{verdict.get('run')}"
        command = shlex.join(words)
    folder = clean(shlex.quote(folder))
    return [
        ("Run it again", clean(command or f"trueload run {verdict.get('scenario')}")),
        ("Judge the same samples again", f"trueload check {folder}"),
        ("Render this report again", f"trueload report {folder}"),
    ]


def _out(words: Sequence[str]) -> str:
    """Find in a command which folder gets the run folders."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == "--out":
            return after.rstrip("/")
        if word.startswith("--out="):
            return word.removeprefix("--out=").rstrip("/")
    return "runs"
