"""From a TOML file to a Scenario: parse, validate, and report all mistakes at once."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenarios.assertions import (
    RESOURCE_SERIES,
    Assertion,
    Metric,
    Severity,
    parse_assertion,
)
from scenarios.errors import Mistake, ScenarioError, UsageError
from scenarios.expectation_fields import read_asserted, read_expectations
from scenarios.fault_fields import check_faults, read_faults, read_stop
from scenarios.fields import Fields
from scenarios.load_fields import default_pool, read_load, users_needed
from scenarios.model import NOBODY, Budget, Expectation, Load, Scenario
from scenarios.persona_fields import read_personas
from scenarios.personas import Persona
from scenarios.schedule import plan
from scenarios.settings import apply_setting, dotted, put, remove
from scenarios.target_fields import read_target
from scenarios.units import format_duration

FOLDER = Path(__file__).parent
"""Where the scenarios that come with Trueload lie."""

IMPLIED_ERROR_BUDGET = "error_ratio < 1%"
IMPLIED_AVAILABILITY_BUDGET = "availability >= 99%"
IMPLIED_SOURCE = "implied by Trueload: every latency budget brings it"

OF_THE_WHOLE = frozenset({Metric.CAPACITY, Metric.RECOVERY_TIME})
"""What a system has, and no endpoint of it by itself."""


def builtin_scenarios() -> dict[str, Path]:
    """List the scenarios that come with Trueload.

    Returns
    -------
    dict of str to Path
        By name.
    """
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def find(name: str) -> Path:
    """Find a scenario by name or path.

    Parameters
    ----------
    name : str
        A file, or the name of a scenario that comes with Trueload.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        When there is no such scenario.
    """
    known = builtin_scenarios()
    path = Path(name)
    if path.is_file():
        return path
    if name in known:
        return known[name]
    raise UsageError(
        f"scenario {name!r}: found neither a file of that name nor a scenario that comes "
        f"with Trueload; allowed: a path to a TOML file, or one of {', '.join(known)}",
        hint="list them with: trueload scenarios",
    )


def load_scenario(
    name: str,
    *,
    settings: Iterable[str] = (),
    overrides: Mapping[str, object] | None = None,
    removed: Iterable[str] = (),
) -> Scenario:
    """Load a scenario by name or path, with settings from the command line applied.

    Parameters
    ----------
    name : str
        A file, or the name of a scenario that comes with Trueload.
    settings : iterable of str
        ``key=value`` with a dotted key and a TOML value, applied in order.
    overrides : mapping of str to object, optional
        Dotted keys and values that other flags of the command stand for.
    removed : iterable of str
        Dotted keys of the file that those flags replace (app by a URL, mix by a
        locustfile).

    Returns
    -------
    Scenario
        Valid, with implied budgets added.

    Raises
    ------
    ScenarioError
        With all mistakes of the file and the settings together.
    UsageError
        When there is no such scenario, or it cannot be read.
    """
    path = find(name)
    raw, mistakes = read_document(path)
    for key in removed:
        remove(raw, dotted(key))
    for setting in settings:
        mistakes += apply_setting(raw, setting)
    for key, value in (overrides or {}).items():
        put(raw, dotted(key), value)
    if mistakes:
        raise ScenarioError(str(name), mistakes)
    return parse_scenario(raw, name=str(name), folder=path.resolve().parent)


def read_document(path: Path) -> tuple[dict[str, Any], list[Mistake]]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of (dict, list of Mistake)
        The document; empty, with the mistake, when it is no TOML.

    Raises
    ------
    UsageError
        When the file cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), []
    except tomllib.TOMLDecodeError as error:
        return {}, [Mistake(where=path.name, key="TOML", found=str(error), allowed="valid TOML")]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error


def parse_scenario(raw: Mapping[str, Any], *, name: str, folder: Path | None) -> Scenario:
    """Validate a parsed document.

    Parameters
    ----------
    raw : mapping
        The document.
    name : str
        What messages call it.
    folder : Path or None
        Where a relative locustfile is looked for; None does not look for it
        (a recorded run is judged where its locustfile may be long gone).

    Returns
    -------
    Scenario
        Valid, with implied budgets added.

    Raises
    ------
    ScenarioError
        With every mistake.
    """
    top = Fields(raw, where=name)
    title = top.text("title", default=Path(name).stem)
    question = top.text("question", default="")
    scenario_name = top.text("name", default=Path(name).stem)
    target = read_target(top.table("target"), folder)
    personas = read_personas(top.table("personas"))
    load = read_load(top.table("load"), folder, personas)
    whose, growth = read_expectations(top.table("expectations"))
    budgets = _budgets(top, whose)
    faults, stop = read_faults(top), read_stop(top.table("stop"))
    top.take("vary")  # whose values are settings of other runs: see scenarios.variation
    top.no_more()
    _timeout_exceeds_limits(top, load, budgets)
    if load.is_open:
        load = _with_pool(top, load, budgets, personas)
    if folder is not None and target.url and load.mix and not target.accounts:
        top.mistake(
            "target.accounts",
            "nothing beside a url and a mix",
            'the file that "trueload app seed" made with the CRM\'s data: '
            "each virtual user signs in as somebody else",
        )
    if top.mistakes:
        raise ScenarioError(name, top.mistakes)
    scenario = Scenario(
        name=scenario_name,
        title=title,
        question=question,
        target=target,
        load=load,
        budgets=with_implied(budgets, owner=whose.owner),
        source=name,
        raw=dict(raw),
        personas={persona: personas[persona] for persona in load.mix},
        faults=faults,
        stop=stop,
        whose=whose,
        growth=growth,
    )
    check_faults(top, faults, app=target.app, end_s=plan(scenario).end_s)
    if top.mistakes:
        raise ScenarioError(name, top.mistakes)
    return scenario


def _with_pool(
    top: Fields, load: Load, budgets: tuple[Budget, ...], personas: Mapping[str, Persona]
) -> Load:
    """Settle how many virtual users there are in the open model."""
    limits = [b.assertion.limit for b in budgets if b.assertion.is_latency]
    needed = users_needed(load, max(limits, default=None), personas)
    if load.max_users == 0:
        return replace(load, max_users=default_pool(needed))
    if limits and load.max_users < needed:
        top.mistake(
            "load.max_users",
            f"{load.max_users:,}",
            f"at least {needed:,} (highest rate x largest latency limit x requests of a click): "
            "with fewer, waiting for a virtual user could not be told from waiting for the target",
        )
    return load


def _budgets(top: Fields, everybodys: Expectation) -> tuple[Budget, ...]:
    """Read the table ``budgets``."""
    fields = top.table("budgets")
    budgets = []
    for subject in fields.keys():  # noqa: SIM118 - Fields is no mapping
        for key, text, own in read_asserted(fields, subject):
            assertion = _assertion(fields, subject, key, text)
            if assertion is not None:
                whose = own or NOBODY
                expectation = Expectation(
                    owner=whose.owner or everybodys.owner, source=whose.source or everybodys.source
                )
                budgets.append(
                    Budget(subject=subject, assertion=assertion, expectation=expectation)
                )
    return tuple(budgets)


def _assertion(fields: Fields, subject: str, key: str, text: str) -> Assertion | None:
    try:
        assertion = parse_assertion(text)
    except ValueError as error:
        fields.mistake(key, repr(text), str(error))
        return None
    if assertion.metric in OF_THE_WHOLE and subject != "all":
        fields.mistake(key, repr(text), f"{assertion.metric} for the subject all")
    if assertion.series in RESOURCE_SERIES and subject != "all":
        fields.mistake(key, repr(text), f"drift({assertion.series}) for the subject all")
    return assertion


def parse_budgets(
    raw: Mapping[str, Any], *, name: str, timeout_s: float = math.inf
) -> tuple[Budget, ...]:
    """Read budgets that stand by themselves, to judge a recorded run again.

    Parameters
    ----------
    raw : mapping
        A document with a table ``budgets``.
    name : str
        What messages call it.
    timeout_s : float
        Of the recorded requests, in seconds: no latency limit can be tested beyond it.

    Returns
    -------
    tuple of Budget
        With implied budgets added.

    Raises
    ------
    ScenarioError
        With every mistake.
    """
    top = Fields(raw, where=name)
    for key in (
        "name",
        "title",
        "question",
        "target",
        "load",
        "personas",
        "stop",
        "faults",
        "vary",
    ):
        top.take(key)  # a whole scenario will do
    whose, _ = read_expectations(top.table("expectations"))  # growth is stated of several runs
    budgets = _budgets(top, whose)
    top.no_more()
    for budget in _untestable(budgets, timeout_s):
        top.mistake(
            f"budgets.{budget.subject}",
            repr(budget.assertion.text),
            f"a limit below {format_duration(timeout_s)}, the timeout of the recorded requests: "
            "beyond it none could be seen to break it",
        )
    if not budgets and not top.mistakes:
        top.mistake(
            "budgets", "nothing", 'a table [budgets] with at least one, as in all = ["..."]'
        )
    if top.mistakes:
        raise ScenarioError(name, top.mistakes)
    return with_implied(budgets, owner=whose.owner)


def with_implied(budgets: tuple[Budget, ...], *, owner: str | None = None) -> tuple[Budget, ...]:
    """Add the budgets that a latency budget brings with it.

    Fast errors must not improve a latency, and stuck requests are few however
    long a hang lasts, so latency alone never passes a run: an error ratio and,
    because a hang is one event in an error ratio but all of the time in an
    availability, an availability are added where none is written.

    Parameters
    ----------
    budgets : tuple of Budget
        As written.
    owner : str, optional
        Of all expectations of the file; without one, who owns every latency budget.

    Returns
    -------
    tuple of Budget
        As written, then those added, each with the reason and its owner.
    """
    judged = {budget.assertion.metric for budget in budgets if budget.subject == "all"}
    latency = [budget for budget in budgets if budget.assertion.is_latency]
    if not latency:
        return budgets
    fails = any(budget.assertion.severity is Severity.FAIL for budget in latency)
    mark = "" if fails else "warn: "  # what only warns brings what only warns
    owners = {budget.expectation.owner for budget in latency}
    ours = Expectation(
        owner=owner or (owners.pop() if len(owners) == 1 else None), source=IMPLIED_SOURCE
    )
    added = []
    for metric, text in (
        (Metric.ERROR_RATIO, IMPLIED_ERROR_BUDGET),
        (Metric.AVAILABILITY, IMPLIED_AVAILABILITY_BUDGET),
    ):
        if metric not in judged:
            why = f"added: a latency budget always comes with {text}"
            assertion = parse_assertion(mark + text)
            added.append(Budget(subject="all", assertion=assertion, implied=why, expectation=ours))
    return (*budgets, *added)


def _timeout_exceeds_limits(top: Fields, load: Load, budgets: tuple[Budget, ...]) -> None:
    for budget in _untestable(budgets, load.timeout_s):
        top.mistake(
            "load.timeout",
            format_duration(load.timeout_s),
            f"more than every latency limit; {budget.subject}: {budget.assertion.text} "
            f"could never be seen to break",
        )


def _untestable(budgets: tuple[Budget, ...], timeout_s: float) -> list[Budget]:
    """Find the budgets whose latency limit lies at the timeout or beyond it."""
    return [
        budget
        for budget in budgets
        if budget.assertion.is_latency and timeout_s <= budget.assertion.limit
    ]
