"""A scenario with something varied: the same load over other settings, one run each.

What is varied is a table of the scenario or, instead of it, flags of the command line::

    [vary]                                             trueload sweep SCENARIO
    "target.customers" = [1_000, 10_000]                   --vary target.customers=1000,10000

What the command line sets is not varied any more by the table; beside a flag it is a mistake.
"""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.errors import Mistake, ScenarioError, UsageError
from scenarios.loading import find, load_scenario, read_document
from scenarios.model import Scenario
from scenarios.settings import Key, dotted, key_of, lies_in

MOST_RUNS = 50

Values = Mapping[str, Sequence[Any]]
"""Values by dotted key."""

_LINE = "the command line"
_HELP = "see: trueload sweep --help"
_SHAPE = 'KEY=V1,V2 with a dotted key and TOML values; texts need quotes: KEY=\'"a","b"\''
_TABLE = 'lists of values by dotted key, as in "target.customers" = [1_000, 10_000]'


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
        dotted(key)
    except ValueError:
        found = []
    if not equals or not found:
        mistake = Mistake(where="--vary", key=key or "(none)", found=text, allowed=_SHAPE)
        raise ScenarioError(_LINE, [mistake], hint=_HELP)
    return key, list(found)


def read_variations(texts: Iterable[str], taken: Mapping[Key, str]) -> dict[str, list[Any]]:
    """Read all that the command line varies: each key once, and none that it sets as well.

    Parameters
    ----------
    texts : iterable of str
        As given on the command line.
    taken : mapping of tuple of str to str
        The flags that set or replace something, by the parts of its dotted key.

    Returns
    -------
    dict of str to list
        Values by dotted key, in the order given.

    Raises
    ------
    ScenarioError
        With every mistake: a text that cannot be read, a key that is varied twice or is
        set by another flag.
    """
    found: dict[str, list[Any]] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        try:
            key, values = parse_variation(text)
        except ScenarioError as error:
            mistakes += error.mistakes
            continue
        path = dotted(key)
        for other, flag in taken.items():
            if lies_in(other, path):
                what = f"{flag} beside it, which sets or replaces {'.'.join(other)}"
                mistakes.append(_twice(key, what, f"--vary or {flag}"))
        for earlier in found:
            if lies_in(dotted(earlier), path) or lies_in(path, dotted(earlier)):
                what = f"--vary {earlier} beside it"
                mistakes.append(_twice(key, what, "each key once, with all of its values"))
        found.setdefault(key, values)
    if mistakes:
        raise ScenarioError(_LINE, list(dict.fromkeys(mistakes)), hint=_HELP)
    return found


def _twice(key: str, found: str, allowed: str) -> Mistake:
    return Mistake(where="--vary", key=key, found=found, allowed=allowed)


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
        Values by dotted key; instead of the scenario's own table ``[vary]``. What is
        set beside them is for the caller to refuse (:func:`read_variations`).
    settings, overrides, removed
        As :func:`scenarios.loading.load_scenario` takes them; what is set on the
        command line is not varied any more by the scenario's table.

    Returns
    -------
    list of Variant
        In the order of the keys, the last one varied fastest; one with no settings
        where nothing is varied.

    Raises
    ------
    ScenarioError
        With the mistakes of all values together, or when there are more than 50 runs.
    """
    settings, given = tuple(settings), dict(overrides or {})
    varied = dict(vary) if vary is not None else _left(name, settings, [*given, *removed])
    count = 1
    for values in varied.values():
        count *= len(values)
    if count > MOST_RUNS:
        raise ScenarioError(name, _of_table(name, f"{count:,} runs", f"at most {MOST_RUNS}"))
    variants: list[Variant] = []
    mistakes: list[Mistake] = []
    for combination in itertools.product(*varied.values()):
        chosen = dict(zip(varied, combination, strict=True))
        overlaid = {**given, **chosen}
        try:
            scenario = load_scenario(name, settings=settings, overrides=overlaid, removed=removed)
        except ScenarioError as error:
            mistakes += [each for each in error.mistakes if each not in mistakes]
        else:
            variants.append(Variant(settings=chosen, scenario=scenario))
    if mistakes:
        raise ScenarioError(name, mistakes)
    _seed_has_an_effect(name, varied, variants)
    return variants


def _seed_has_an_effect(name: str, varied: Values, variants: Sequence[Variant]) -> None:
    """Refuse to vary a seed that nothing is drawn from.

    Raises
    ------
    ScenarioError
        When data that are not ours and a load with a seed of its own are all there is.
    """
    if not any(dotted(key) == ("target", "seed") for key in varied):
        return
    for each in (variant.scenario for variant in variants):
        if each.target.url and each.load.seed is not None:
            found, allowed = "varied beside a url and load.seed", "load.seed, varied instead"
            mistake = Mistake(where=name, key="target.seed", found=found, allowed=allowed)
            raise ScenarioError(name, [mistake])


def varied_by(name: str) -> dict[str, list[Any]]:
    """Read the table ``[vary]`` of a scenario.

    Parameters
    ----------
    name : str
        A file, or the name of a scenario that comes with Trueload.

    Returns
    -------
    dict of str to list
        Values by dotted key; empty when there is no such table.

    Raises
    ------
    ScenarioError
        When its keys are no dotted keys, or its values no lists.
    """
    raw, _ = read_document(find(name))
    table = raw.get("vary", {})
    if not isinstance(table, dict) or not all(isinstance(v, list) and v for v in table.values()):
        raise ScenarioError(name, _of_table(name, repr(table), _TABLE))
    for key in table:
        try:
            dotted(key)
        except ValueError:
            raise ScenarioError(name, _of_table(name, repr(key), _TABLE)) from None
    for one, other in itertools.permutations(table, 2):
        if lies_in(dotted(one), dotted(other)):
            found, allowed = f"{one} beside {other}", "keys of which none lies in another"
            raise ScenarioError(name, _of_table(name, found, allowed))
    return table


def _left(name: str, settings: Sequence[str], replaced: Iterable[str]) -> dict[str, list[Any]]:
    """Give what a scenario's own table varies that the command line does not set.

    Raises
    ------
    ScenarioError
        When the command line sets a part of what the table sets whole.
    """
    taken = {key for setting in settings if (key := key_of(setting))}
    taken |= {dotted(key) for key in replaced}
    varied = varied_by(name)
    left = {key: values for key, values in varied.items() if dotted(key) not in taken}
    mistakes = [
        Mistake(
            where=_LINE,
            key=".".join(part),
            found=f"a part of {key}, which [vary] of {name} sets whole",
            allowed=f"{key}, set whole",
        )
        for key in left
        for part in sorted(taken)
        if lies_in(part, dotted(key))
    ]
    if mistakes:
        raise ScenarioError(name, mistakes)
    return left


def _of_table(name: str, found: str, allowed: str) -> list[Mistake]:
    return [Mistake(where=name, key="vary", found=found, allowed=allowed)]


def hint_for(name: str) -> str:
    """Say what to mend where the command line sets something: that, or the file.

    Parameters
    ----------
    name : str
        File or name of a scenario that has mistakes with what the command line sets.

    Returns
    -------
    str
        Of a scenario that has none by itself `trueload validate` is not named: it would
        find nothing.
    """
    try:
        load_variants(name)
    except UsageError as error:
        return error.hint or ""
    return f"{name} by itself is valid: mend what the command line sets"
