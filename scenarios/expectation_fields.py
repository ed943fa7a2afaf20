"""Whose expectation a budget is, and where it comes from.

::

    [expectations]                       # of every budget of the file
    owner  = "head of sales"
    source = "contract: SLA 2026, section 3"
    growth = "logarithmic"               # of p95 with the volume of data, in every operation; or
                                         # { assert = "logarithmic", source = "own history" }
    [budgets]
    all                  = ["p(95) < 300ms", "error_ratio < 1%"]
    "GET /api/customers" = [{ assert = "p(95) < 150ms", owner = "support", source = "own history" }]

An expectation without an owner is nobody's when it is missed, and one without a source
cannot be argued about (CRM evaluation asks for both; so does SMART).
"""

from __future__ import annotations

from typing import Any

from scenarios.fields import Fields
from scenarios.model import Expectation, GrowthExpectation

SOURCES = ("standard", "vendor benchmark", "own history", "contract", "assumption")
"""Where an expectation can come from; what follows a colon says which."""

GROWTHS = ("constant", "logarithmic", "sublinear", "linear")
"""What can be expected of growth with the volume of data, from the least to the most."""

DEFAULT_GROWTH_SOURCE = "assumption: Trueload's own, where [expectations] states no growth"

_SOURCE_ALLOWED = (
    f"one of {', '.join(SOURCES)}, with details after a colon, as in "
    '"contract: SLA 2026, section 3"'
)

_ITEM_ALLOWED = (
    'texts or tables, as in "p(95) < 300ms" or { assert = "p(95) < 300ms", owner = "sales" }'
)


def read_expectation(fields: Fields) -> Expectation:
    """Read owner and source from a table.

    Parameters
    ----------
    fields : Fields
        A table with the keys ``owner`` and ``source``, both optional.

    Returns
    -------
    Expectation
        With mistakes noted at the fields.
    """
    return Expectation(owner=_owner(fields), source=_source(fields))


def read_expectations(fields: Fields) -> tuple[Expectation, GrowthExpectation]:
    """Read the table ``expectations``.

    Parameters
    ----------
    fields : Fields
        The table.

    Returns
    -------
    tuple of (Expectation, GrowthExpectation)
        What holds for all budgets that say nothing else, and how times may grow; with
        mistakes noted at the fields.
    """
    whose = read_expectation(fields)
    growth = _growth(fields, whose)
    fields.no_more()
    return whose, growth


def _growth(fields: Fields, whose: Expectation) -> GrowthExpectation:
    if "growth" not in fields:
        ours = Expectation(owner=whose.owner, source=DEFAULT_GROWTH_SOURCE)
        return GrowthExpectation(expectation=ours)
    value, default = fields.take("growth"), GrowthExpectation().worst
    if not isinstance(value, dict):
        worst = fields.choice("growth", GROWTHS, default=default)
        return GrowthExpectation(worst=worst, expectation=whose, stated=True)
    own = fields.child("growth", value)
    if "assert" not in own:
        own.mistake("assert", "nothing", " or ".join(GROWTHS))
    worst, said = own.choice("assert", GROWTHS, default=default), read_expectation(own)
    own.no_more()
    expectation = Expectation(owner=said.owner or whose.owner, source=said.source or whose.source)
    return GrowthExpectation(worst=worst, expectation=expectation, stated=True)


def _owner(fields: Fields) -> str | None:
    if "owner" not in fields:
        return None
    owner = fields.text("owner", default="").strip()
    if not owner and isinstance(fields.take("owner"), str):
        fields.mistake("owner", "an empty text", "a person, a role or a department")
    return owner or None


def _source(fields: Fields) -> str | None:
    if "source" not in fields:
        return None
    source = fields.text("source", default="").strip()
    kind = source.partition(":")[0].strip()
    if kind in SOURCES:
        return source
    if isinstance(fields.take("source"), str):
        fields.mistake("source", repr(source), _SOURCE_ALLOWED)
    return None


def read_asserted(fields: Fields, subject: str) -> list[tuple[str, str, Expectation | None]]:
    """Read the assertions about a subject: texts, or tables that say whose they are.

    Parameters
    ----------
    fields : Fields
        The table ``budgets``.
    subject : str
        One of its keys.

    Returns
    -------
    list of (str, str, Expectation or None)
        The key for messages, the assertion, and the expectation that goes with it alone.
    """
    value = fields.take(subject)
    if not isinstance(value, list):
        fields.mistake(subject, repr(value), f"a list of {_ITEM_ALLOWED}")
        return []
    read = (_item(fields, f"{subject}[{index}]", item) for index, item in enumerate(value))
    return [item for item in read if item is not None]


def _item(fields: Fields, key: str, item: Any) -> tuple[str, str, Expectation | None] | None:
    if isinstance(item, str):
        return key, item, None
    if not isinstance(item, dict):
        fields.mistake(key, repr(item), _ITEM_ALLOWED)
        return None
    own = fields.child(key, item)
    before = len(fields.mistakes)
    text = own.text("assert", default="")
    expectation = read_expectation(own)
    own.no_more()
    if not text and len(fields.mistakes) == before:
        own.mistake("assert", "nothing", 'an assertion, as in "p(95) < 300ms"')
    return (key, text, expectation) if text else None
