"""A scenario with something varied: the same load over other settings, one run each."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.errors import Mistake, ScenarioError
from scenarios.loading import find, load_scenario, read_document
from scenarios.model import Scenario

MOST_RUNS = 50

Values = Mapping[str, Sequence[Any]]
"""Values by dotted key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One run of a scenario that is varied.

    Attributes
    ----------
    settings : mapping of str to object
        What is set in this one, by dotted key; empty when nothing is varied.
    scenario : Scenario
        With these settings applied.
    """

    settings: Mapping[str, Any]
    scenario: Scenario

    @property
    def words(self) -> str:
        """Its settings, as in ``"target.customers = 10000"``."""
        return ", ".join(f"{key} = {json.dumps(value)}" for key, value in self.settings.items())


def parse_variation(text: str) -> tuple[str, list[Any]]:
    """Read ``KEY=V1,V2``: a dotted key and TOML values.

    Parameters
    ----------
    text : str
        As given on the command line.

    Returns
    -------
    tuple of (str, list)
        The key and its values.

    Raises
    ------
    ScenarioError
        When it is something else.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    try:
        found = tomllib.loads(f"values = [{values}]")["values"]
    except tomllib.TOMLDecodeError:
        found = []
    if not equals or not key or not found:
        allowed = 'KEY=V1,V2 with a dotted key and TOML values; texts need quotes: KEY=\'"a","b"\''
        raise ScenarioError(
            "--vary", [Mistake(where="--vary", key=key or "(none)", found=text, allowed=allowed)]
        )
    return key, list(found)


def load_variants(
    name: str,
    *,
    vary: Values | None = None,
    settings: Iterable[str] = (),
    overrides: Mapping[str, object] | None = None,
    removed: Iterable[str] = (),
) -> list[Variant]:
    """Load a scenario once for each combination of what it varies.

    Parameters
    ----------
    name : str
        A file, or the name of a scenario that comes with Trueload.
    vary : mapping of str to sequence, optional
        Values by dotted key; instead of the scenario's own table ``[vary]``.
    settings, overrides, removed
        As :func:`scenarios.loading.load_scenario` takes them; what is set on the
        command line is not varied any more.

    Returns
    -------
    list of Variant
        In the order of the keys, the last one varied fastest; one with no settings
        where nothing is varied.

    Raises
    ------
    ScenarioError
        When a value makes a mistake, or there are more than 50 runs.
    """
    settings, given = tuple(settings), dict(overrides or {})
    varied = dict(_table(name) if vary is None else vary)
    for key in [*given, *removed, *(setting.partition("=")[0].strip() for setting in settings)]:
        varied.pop(key, None)
    count = 1
    for values in varied.values():
        count *= len(values)
    if count > MOST_RUNS:
        found, allowed = f"{count:,} runs", f"at most {MOST_RUNS}"
        raise ScenarioError(name, [Mistake(where=name, key="vary", found=found, allowed=allowed)])
    variants = []
    for values in itertools.product(*varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        scenario = load_scenario(
            name, settings=settings, overrides={**given, **chosen}, removed=removed
        )
        variants.append(Variant(settings=chosen, scenario=scenario))
    return variants


def _table(name: str) -> dict[str, list[Any]]:
    """Read the table ``[vary]`` of a scenario.

    Raises
    ------
    ScenarioError
        When its values are no lists.
    """
    raw, _ = read_document(find(name))
    table = raw.get("vary", {})
    if not isinstance(table, dict) or not all(isinstance(v, list) and v for v in table.values()):
        allowed = 'lists of values by dotted key, as in "target.customers" = [1_000, 10_000]'
        raise ScenarioError(
            name, [Mistake(where=name, key="vary", found=repr(table), allowed=allowed)]
        )
    return table
