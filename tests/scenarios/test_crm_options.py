"""The scenarios' table of the CRM's switches is the CRM's own."""

from __future__ import annotations

import pkgutil
from dataclasses import fields

import pytest

import target_app.extensions
from scenarios.crm_options import (
    CHOICES,
    DROP_INDEX,
    EXTENSIONS,
    INDEXES,
    NAMES,
    NUMBERS,
    RANGES,
    SWITCHES,
    as_settings,
)
from scenarios.model import Option
from target_app.options import OptionError, Options, index_names


def test_it_has_every_switch_and_no_other() -> None:
    assert set(NAMES) == {field.name for field in fields(Options)}


def test_it_has_every_index_that_can_be_dropped_and_no_other() -> None:
    assert set(INDEXES) == index_names()


def test_it_has_every_extension_and_no_other() -> None:
    there = {module.name for module in pkgutil.iter_modules(target_app.extensions.__path__)}

    assert set(EXTENSIONS) == {name for name in there if not name.startswith("_")}


@pytest.mark.parametrize(
    "options",
    [
        *({name: word} for name, words in CHOICES.items() for word in words),
        *({name: bound} for name, bounds in RANGES.items() for bound in bounds),
        *({name: bound} for name, bounds in NUMBERS.items() for bound in (*bounds, 28.75)),
        *({name: value} for name in SWITCHES for value in (True, False)),
        {DROP_INDEX: INDEXES},
    ],
)
def test_the_crm_takes_every_value_of_it_as_it_is_meant(options: dict[str, Option]) -> None:
    (name, value), *_ = options.items()

    assert Options.parse(as_settings(options)).to_json()[name] == value


@pytest.mark.parametrize(
    "options",
    [
        *({name: "another"} for name in CHOICES),
        *({name: "maybe"} for name in SWITCHES),
        *({name: low - 1} for name, (low, _) in RANGES.items()),
        *({name: high + 1} for name, (_, high) in RANGES.items()),
        *({name: low / 2} for name, (low, _) in NUMBERS.items()),
        *({name: high * 1.01} for name, (_, high) in NUMBERS.items()),
        {DROP_INDEX: ("users_email",)},
    ],
)
def test_what_it_refuses_the_crm_refuses_too(options: dict[str, Option]) -> None:
    with pytest.raises(OptionError):
        Options.parse(as_settings(options))
