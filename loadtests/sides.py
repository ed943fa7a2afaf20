"""The two sides of a duel: what is set for each, or the URL where each runs.

::

    SPEC     = URL | settings | "as-is"
    settings = KEY=VALUE { ";" KEY=VALUE }      as --set takes them; a key of target
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NoReturn

from loadtests.options import RunOptions
from scenarios.errors import ScenarioError, UsageError
from scenarios.model import Scenario
from scenarios.settings import apply_setting
from scenarios.variation import Variant

AS_IS = "as-is"
"""The scenario as it stands."""

_SHAPE = (
    f'a URL, "{AS_IS}", or settings of target as --set takes them, several separated by ";", '
    "as in target.options.cache='\"ttl\"';target.workers=2"
)


class Role(StrEnum):
    """What a run is in a duel: the manifest's word."""

    BASE = "base"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What the command line says of one side.

    Attributes
    ----------
    words : str
        As it was written.
    url : str or None
        Of a system that runs already.
    settings : tuple of str
        Each ``key=value``; none with a URL.
    """

    words: str
    url: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A side that is ready to be run.

    Attributes
    ----------
    role : Role
        Base or candidate.
    spec : Spec
        What is set for it.
    options : RunOptions
        The command line as this side has it.
    scenario : Scenario
        With all of that applied.
    hosts : tuple of str
        Hosts beside loopback that load may go to.
    """

    role: Role
    spec: Spec
    options: RunOptions
    scenario: Scenario
    hosts: tuple[str, ...]


def read_spec(texts: Sequence[str], flag: str) -> Spec:
    """Read what stands after ``--base`` or ``--candidate``.

    Parameters
    ----------
    texts : sequence of str
        One or more; several are settings that add up.
    flag : str
        Which of the two, for messages.

    Returns
    -------
    Spec
        What is meant.

    Raises
    ------
    UsageError
        When it is something else, or sets anything but the target.
    """
    words = "; ".join(texts)
    if list(texts) == [AS_IS]:
        return Spec(words=AS_IS)
    if any(text.startswith(("http://", "https://")) for text in texts):
        if len(texts) > 1:
            _refuse(flag, words, "one URL by itself: nothing can be set for it")
        return Spec(words=words, url=words)
    settings = tuple(part for text in texts for part in _split(text))
    if not settings:
        _refuse(flag, repr(words), _SHAPE)
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if not key.startswith("target.") or key in {"target.url", "target.app"}:
            rest = "what is the same for both sides is set with --set"
            _refuse(flag, repr(setting), f"{_SHAPE}; {rest}")
        if mistakes := apply_setting({}, setting):
            _refuse(f"{flag} {key}", mistakes[0].found, mistakes[0].allowed)
    return Spec(words="; ".join(settings), settings=settings)


def _refuse(flag: str, found: str, allowed: str) -> NoReturn:
    raise UsageError(f"{flag}: found {found}; allowed: {allowed}. Nothing was sent")


def _split(text: str) -> list[str]:
    """Split at semicolons that stand outside of quotes."""
    parts, quote = [""], ""
    for character in text:
        if character == ";" and not quote:
            parts.append("")
            continue
        if character in "\"'" and quote in {"", character}:
            quote = "" if quote else character
        parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def prepare(scenario: str, options: RunOptions, base: Spec, candidate: Spec) -> tuple[Side, Side]:
    """Load the scenario for both sides, and check what may be refused before any run.

    Parameters
    ----------
    scenario : str
        Name or path.
    options : RunOptions
        What both have in common.
    base, candidate : Spec
        What they differ in.

    Returns
    -------
    tuple of (Side, Side)
        Base and candidate.

    Raises
    ------
    ScenarioError
        When a side sets what another flag sets for both.
    UsageError
        When a side cannot be run, or load to it is not allowed.
    """
    specs = ((Role.BASE, base), (Role.CANDIDATE, candidate))
    mistakes = [m for role, spec in specs for m in options.set_twice(spec.settings, f"--{role}")]
    if mistakes:
        raise ScenarioError(scenario, mistakes, hint="a flag beside them is for both sides")
    sides = []
    for role, spec in specs:
        own = replace(options, url=spec.url, settings=(*options.settings, *spec.settings))
        loaded = _load(scenario, own)
        sides.append(
            Side(role=role, spec=spec, options=own, scenario=loaded, hosts=own.check(loaded))
        )
    return sides[0], sides[1]


def same_system(base: Side, candidate: Side) -> bool:
    """Tell whether both sides are one system, though they were not both written so.

    Parameters
    ----------
    base, candidate : Side
        Of a duel.

    Returns
    -------
    bool
        False where both are "as-is": who compares a system to itself by these words means it.
    """
    meant = base.spec.words == candidate.spec.words == AS_IS
    return base.scenario.target == candidate.scenario.target and not meant


def _load(scenario: str, options: RunOptions) -> Scenario:
    variants: list[Variant] = options.load(scenario, {})
    return variants[0].scenario
