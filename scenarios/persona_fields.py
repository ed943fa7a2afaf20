"""Reads personas: the files in ``journeys/``, and what a scenario changes of them.

A file, or with fewer keys a table ``[personas.NAME]`` of a scenario::

    role  = "portal"
    think = "15s"

    [steps]                                  # a name, and the requests that it sends in order
    my_orders = ["GET /api/v1/customers/{id}/orders"]
    send      = { requests = ["POST /feedback", "GET /feedback"], think = 3 }

    [journey]                                # what follows what, by weight
    start     = { my_orders = 60, send = 40 }
    my_orders = { my_orders = 20, send = 73, end = 7 }
    send      = { my_orders = 83, end = 17 }
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scenarios.errors import ScenarioError
from scenarios.fields import Fields
from scenarios.personas import END, ROLES, START, Persona, Step

FOLDER = Path(__file__).parent / "journeys"
"""Where the personas that come with Trueload lie."""

_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) /[^\s?#]*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LEAST_THINK, _MOST_THINK = 0.01, 100.0
_LEAST_S = 1e-3
_MOST_WEIGHT = 1e6

Rows = dict[str, dict[str, float]]


@functools.cache
def builtin_personas() -> Mapping[str, Persona]:
    """Read the personas that come with Trueload.

    Returns
    -------
    mapping of str to Persona
        By name, in the order of the alphabet.
    """
    files = sorted(FOLDER.glob("*.toml"))
    return MappingProxyType({path.stem: _read_file(path) for path in files})


def _read_file(path: Path) -> Persona:
    return parse_persona(tomllib.loads(path.read_text(encoding="utf-8")), name=path.stem)


def parse_persona(raw: Mapping[str, Any], *, name: str) -> Persona:
    """Validate the document of a persona.

    Parameters
    ----------
    raw : mapping
        The document.
    name : str
        Of the persona.

    Returns
    -------
    Persona
        Valid: every step has requests and a row, can be reached, and leads to an end.

    Raises
    ------
    ScenarioError
        With every mistake. Whether all steps can be reached, and an end from each, is
        looked at when the journey has no other mistakes.
    """
    fields = Fields(raw, where=f"{name}.toml")
    role = fields.choice("role", ROLES, default="")
    think_s = fields.duration("think", default=None, low=_LEAST_S, required=True)
    steps = _steps(fields.table("steps"))
    if not fields.table("steps").keys():
        fields.mistake("steps", "none", 'steps, as in open_order = ["GET /orders/{id}"]')
    journey = _journey(fields.table("journey"), steps)
    fields.no_more()
    if fields.mistakes:
        raise ScenarioError(f"{name}.toml", fields.mistakes)
    return Persona(name=name, role=role, think_s=think_s or 0.0, steps=steps, journey=journey)


def read_personas(table: Fields) -> dict[str, Persona]:
    """Read and check the tables ``[personas.NAME]`` of a scenario.

    Each changes a persona that comes with Trueload: its ``think``, ``think`` of its
    steps, rows of its ``journey``. A journey with a row ``start`` is a whole one: steps
    that it has no row for are not done.

    Parameters
    ----------
    table : Fields
        ``[personas]``; mistakes are noted there.

    Returns
    -------
    dict of str to Persona
        All that a mix may name, changed where the scenario says so; as they come where
        what it says is a mistake.
    """
    known = builtin_personas()
    changed = dict(known)
    for name in table.keys():  # noqa: SIM118 - Fields is no mapping
        if name in known or table.unknown(name, known):
            changed[name] = _changed(table.table(name), known[name])
    return changed


def _changed(fields: Fields, persona: Persona) -> Persona:
    before = len(fields.mistakes)
    think_s = fields.duration("think", default=persona.think_s, low=_LEAST_S)
    steps = dict(persona.steps)
    table = fields.table("steps")
    for name in table.keys():  # noqa: SIM118
        if name in steps or table.unknown(name, steps):
            step = table.table(name)
            steps[name] = replace(steps[name], think=_think(step, steps[name].think))
            step.no_more()
    journey = persona.journey
    if "journey" in fields:
        journey, steps = _changed_journey(fields.table("journey"), persona, steps)
    fields.no_more()
    if len(fields.mistakes) > before:
        return persona
    return replace(persona, think_s=think_s, steps=steps, journey=journey)


def _changed_journey(
    table: Fields, persona: Persona, steps: dict[str, Step]
) -> tuple[Mapping[str, Mapping[str, float]], dict[str, Step]]:
    before = len(table.mistakes)
    rows = _rows(table, steps)
    if START in rows:
        steps = {name: step for name, step in steps.items() if name in rows}
    else:
        rows = {name: dict(row) for name, row in persona.journey.items()} | rows
    if len(table.mistakes) == before:
        _check_ways(table, rows)
    return rows, steps


def _steps(table: Fields) -> dict[str, Step]:
    steps = {}
    for name in table.keys():  # noqa: SIM118
        value = table.take(name)
        if not _NAME.fullmatch(name) or name in {START, END}:
            table.mistake(name, "such a name", "a name as in open_customer; not start or end")
        elif isinstance(value, dict):
            step = table.table(name)
            requests = _requests(step, "requests", step.take("requests"))
            steps[name] = Step(requests=requests, think=_think(step, 1.0))
            step.no_more()
        else:
            steps[name] = Step(requests=_requests(table, name, value))
    return steps


def _requests(fields: Fields, key: str, value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else []
    if texts and all(isinstance(text, str) and _REQUEST.fullmatch(text) for text in texts):
        return tuple(texts)
    found = "nothing" if value is None else repr(value)
    fields.mistake(key, found, 'a list of requests, as in ["POST /orders", "GET /orders/{id}"]')
    return ()


def _think(fields: Fields, default: float) -> float:
    return fields.number("think", default=default, low=_LEAST_THINK, high=_MOST_THINK)


def _journey(table: Fields, steps: Mapping[str, Step]) -> Rows:
    before = len(table.mistakes)
    rows = _rows(table, steps)
    for name in (START, *steps):
        if name not in rows:
            table.mistake(name, "no row", "weights of what follows, as in { open_order = 9 }")
    if len(table.mistakes) == before:
        _check_ways(table, rows)
    return rows


def _rows(table: Fields, steps: Mapping[str, Step]) -> Rows:
    """Read the rows that there are."""
    return {
        name: _row(table.table(name), name, steps)
        for name in table.keys()  # noqa: SIM118
        if name in steps or name == START or table.unknown(name, {START, *steps})
    }


def _row(row: Fields, name: str, steps: Mapping[str, Step]) -> dict[str, float]:
    allowed = set(steps) if name == START else {*steps, END}
    before = len(row.mistakes)
    weights = {
        to: row.number(to, default=0.0, low=0.0, high=_MOST_WEIGHT)
        for to in row.keys()  # noqa: SIM118
        if to in allowed or row.unknown(to, allowed)
    }
    if not any(weights.values()) and len(row.mistakes) == before:
        row.mistake("weights", "none above 0", "a weight for some of what may follow")
    return {to: weight for to, weight in weights.items() if weight > 0}


def _check_ways(table: Fields, rows: Rows) -> None:
    """Note rows that lead to a step without one, steps out of reach, and journeys without end."""
    missing = sorted({to for row in rows.values() for to in row} - {*rows, END})
    for name in missing:
        table.mistake(name, "no row", "weights of what follows: another row leads here")
    reached = _reached({START}, rows)
    for name in rows.keys() - reached:
        table.mistake(name, "a step that nothing leads to", "a way to it from start")
    backwards: Rows = {}
    for name, row in rows.items():
        for to in row:
            backwards.setdefault(to, {})[name] = 1.0
    for name in sorted(reached - _reached({END}, backwards) - {START, *missing}):
        table.mistake(name, "no way from it to end", "a way to end: else no session ends")


def _reached(start: set[str], rows: Mapping[str, Mapping[str, float]]) -> set[str]:
    """Give the steps that there is a way to, along the rows."""
    reached, waiting = set(start), list(start)
    while waiting:
        for to in rows.get(waiting.pop(), ()):
            if to not in reached:
                reached.add(to)
                waiting.append(to)
    return reached
