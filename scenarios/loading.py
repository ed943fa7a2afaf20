"""From a TOML file to a Scenario: parse, validate, and report all mistakes at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scenarios.assertions import Assertion, Metric, Severity, parse_assertion
from scenarios.errors import Mistake, ScenarioError, UsageError
from scenarios.fields import Fields
from scenarios.model import Budget, Load, Scenario, Stage
from scenarios.personas import PERSONAS
from scenarios.settings import apply_setting, put, remove
from scenarios.target_fields import read_target
from scenarios.units import format_duration

FOLDER = Path(__file__).parent
"""Where the scenarios that come with Trueload lie."""

MAX_USERS = 100_000

IMPLIED_ERROR_BUDGET = "error_ratio < 1%"
IMPLIED_AVAILABILITY_BUDGET = "availability >= 99%"

NOT_YET = {
    Metric.DRIFT: "drift(...)",
    Metric.RECOVERY_TIME: "recovery_time",
}
"""In the grammar, but not judged by this version: refused, never ignored."""


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
    raw, mistakes = _read(path)
    for key in removed:
        remove(raw, key.split("."))
    for setting in settings:
        mistakes += apply_setting(raw, setting)
    for key, value in (overrides or {}).items():
        put(raw, key.split("."), value)
    if mistakes:
        raise ScenarioError(str(name), mistakes)
    return parse_scenario(raw, name=str(name), folder=path.resolve().parent)


def _read(path: Path) -> tuple[dict[str, Any], list[Mistake]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), []
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
    load = _load(top.table("load"), folder)
    budgets = _budgets(top.table("budgets"))
    for table, part in (("stop", "stop rules"), ("faults", "faults from outside")):
        top.not_yet(table, part)
    top.no_more()
    _timeout_exceeds_limits(top, load, budgets)
    if folder is not None and target.url and load.mix and not target.accounts:
        top.mistake(
            "target.accounts",
            "nothing beside a url and a mix",
            'the file that "trueload app seed" made with the CRM\'s data: '
            "each virtual user signs in as somebody else",
        )
    if top.mistakes:
        raise ScenarioError(name, top.mistakes)
    return Scenario(
        name=scenario_name,
        title=title,
        question=question,
        target=target,
        load=load,
        budgets=with_implied(budgets),
        source=name,
        raw=dict(raw),
    )


def _load(fields: Fields, folder: Path | None) -> Load:
    model = fields.choice("model", ("closed", "open"), default="closed")
    if model == "open":
        fields.mistake("model", "'open'", "closed (the open model is not built yet)")
    fields.not_yet("extend", "extending a hold")
    stages = _stages(fields)
    locustfile = _locustfile(fields, folder)
    mix = _mix(fields, has_locustfile=locustfile is not None)
    highest = max((stage.users for stage in stages), default=1)
    required = fields.whole("required", default=highest, low=1, high=MAX_USERS)
    if stages and required not in {stage.users for stage in stages}:
        allowed = ", ".join(str(users) for users in sorted({stage.users for stage in stages}))
        fields.mistake("required", str(required), f"the users of one of the stages: {allowed}")
    max_users = fields.whole("max_users", default=MAX_USERS, low=1, high=MAX_USERS)
    if highest > max_users:
        fields.mistake("max_users", str(max_users), f"at least the highest stage's {highest} users")
    think_scale = fields.number("think_scale", default=1.0, low=0.0, high=1000.0)
    if locustfile is not None and think_scale != 1:
        fields.mistake("think_scale", f"{think_scale:g} beside a locustfile", "with a mix only")
    load = Load(
        stages=stages or (Stage(users=1, hold_s=1.0),),
        required=required,
        mix=mix,
        locustfile=locustfile,
        think_scale=think_scale,
        warmup_s=fields.duration("warmup", default=0.0),
        settle_s=fields.duration("settle", default=None),
        timeout_s=fields.duration("timeout", default=10.0, low=1e-3),
        max_users=max_users,
    )
    fields.no_more()
    return load


def _stages(fields: Fields) -> tuple[Stage, ...]:
    stages = []
    for stage in fields.tables("stages", allowed='at least one { users = N, hold = "20s" }'):
        before = len(stage.mistakes)
        if "rate" in stage:
            stage.take("rate")
            stage.mistake("rate", "a rate", "users (the open model is not built yet)")
        no_users = 1 if "rate" in stage else None
        users = stage.whole("users", default=no_users, low=1, high=MAX_USERS)
        hold_s = stage.duration("hold", default=None, low=1.0, required=True)
        ramp_s = stage.duration("ramp", default=0.0)
        stage.no_more()
        if len(stage.mistakes) == before:
            stages.append(Stage(users=users, hold_s=hold_s or 0.0, ramp_s=ramp_s or 0.0))
    return tuple(stages)


def _locustfile(fields: Fields, folder: Path | None) -> Path | None:
    text = fields.text("locustfile", default="")
    if not text:
        return None
    if folder is None:
        return Path(text)
    path = (folder / text).resolve()
    if not path.is_file():
        fields.mistake("locustfile", repr(text), f"a Python file (looked for {path})")
    return path


def _mix(fields: Fields, *, has_locustfile: bool) -> dict[str, float]:
    table = fields.table("mix")
    if has_locustfile and table.keys():
        fields.mistake("mix", "a mix beside a locustfile", "one of the two")
    mix = {
        name: table.number(name, default=0.0, low=0.0, high=1e6)
        for name in table.keys()  # noqa: SIM118 - Fields is no mapping
        if name in PERSONAS or table.unknown(name, PERSONAS)
    }
    if not has_locustfile and not any(mix.values()) and not table.mistakes:
        known = ", ".join(PERSONAS)
        fields.mistake("mix", "no persona with a weight", f"weights for some of {known}")
    return {name: weight for name, weight in mix.items() if weight > 0}


def _budgets(fields: Fields) -> tuple[Budget, ...]:
    budgets = []
    for subject in fields.keys():  # noqa: SIM118 - Fields is no mapping
        for index, text in enumerate(fields.texts(subject)):
            assertion = _assertion(fields, subject, index, text)
            if assertion is not None:
                budgets.append(Budget(subject=subject, assertion=assertion))
    return tuple(budgets)


def _assertion(fields: Fields, subject: str, index: int, text: str) -> Assertion | None:
    key = f"{subject}[{index}]"
    try:
        assertion = parse_assertion(text)
    except ValueError as error:
        fields.mistake(key, repr(text), str(error))
        return None
    if assertion.metric in NOT_YET:
        fields.mistake(key, repr(text), f"another metric ({NOT_YET[assertion.metric]} is not yet)")
    if assertion.metric is Metric.CAPACITY and subject != "all":
        fields.mistake(key, repr(text), "capacity for the subject all")
    return assertion


def parse_budgets(raw: Mapping[str, Any], *, name: str) -> tuple[Budget, ...]:
    """Read budgets that stand by themselves, to judge a recorded run again.

    Parameters
    ----------
    raw : mapping
        A document with a table ``budgets``.
    name : str
        What messages call it.

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
    for key in ("name", "title", "question", "target", "load", "stop", "faults"):
        top.take(key)  # a whole scenario will do
    budgets = _budgets(top.table("budgets"))
    top.no_more()
    if not budgets and not top.mistakes:
        top.mistake(
            "budgets", "nothing", 'a table [budgets] with at least one, as in all = ["..."]'
        )
    if top.mistakes:
        raise ScenarioError(name, top.mistakes)
    return with_implied(budgets)


def with_implied(budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
    """Add the budgets that a latency budget brings with it.

    Fast errors must not improve a latency, and stuck requests are few however
    long a hang lasts, so latency alone never passes a run: an error ratio and,
    because a hang is one event in an error ratio but all of the time in an
    availability, an availability are added where none is written.

    Parameters
    ----------
    budgets : tuple of Budget
        As written.

    Returns
    -------
    tuple of Budget
        As written, then those added, each with the reason.
    """
    judged = {budget.assertion.metric for budget in budgets if budget.subject == "all"}
    latency = [budget.assertion.severity for budget in budgets if budget.assertion.is_latency]
    if not latency:
        return budgets
    mark = "" if Severity.FAIL in latency else "warn: "  # what only warns brings what only warns
    added = []
    for metric, text in (
        (Metric.ERROR_RATIO, IMPLIED_ERROR_BUDGET),
        (Metric.AVAILABILITY, IMPLIED_AVAILABILITY_BUDGET),
    ):
        if metric not in judged:
            why = f"added: a latency budget always comes with {text}"
            added.append(Budget(subject="all", assertion=parse_assertion(mark + text), implied=why))
    return (*budgets, *added)


def _timeout_exceeds_limits(top: Fields, load: Load, budgets: tuple[Budget, ...]) -> None:
    for budget in budgets:
        assertion = budget.assertion
        if assertion.is_latency and load.timeout_s <= assertion.limit:
            top.mistake(
                "load.timeout",
                format_duration(load.timeout_s),
                f"more than every latency limit; {budget.subject}: {assertion.text} "
                f"could never be seen to break",
            )
