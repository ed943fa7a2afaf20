"""The JSON Schema of a rule says what the rule does: neither promises what the other refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from target_app import RESOURCES
from target_app.api import operations
from target_app.rules import Refused, Rule
from target_app.validation import Field, Listed, Parameter

OPERATIONS = operations(RESOURCES)
BODIES = {operation.name: operation.body for operation in OPERATIONS if operation.body is not None}
RULES: dict[str, Rule] = {}  # each once, by the first place that has it
for operation in OPERATIONS:
    members: dict[str, Field | Parameter] = {**operation.query, **(operation.body or {})}
    for name, member in members.items():
        if not isinstance(member.rule, Listed) and member.rule not in RULES.values():
            RULES[f"{operation.name}.{name}"] = member.rule

# Characters of every kind that a rule tells apart, and neighbours of theirs. (Of half a pair of
# surrogates a schema knows nothing.)
NASTY = (
    "aZ09 \t\n\r\x00\x1c\x7f\x85\xa0\xad.@-_+()/x,:;ß\u0130\u0301\u200b\u2028\u2029\u3000\ufeff"
    "\U0001f469\U0010ffff中ع"
)
TEXTS = st.one_of(
    st.text(NASTY, max_size=8),
    st.text("ABCabc09+ -.", max_size=40),
    st.builds(str.__mul__, st.sampled_from("a9中"), st.integers(30, 2100)),
    st.from_regex(r"[a-z.]{1,5}@[a-z-]{1,5}(\.[a-z]{1,3})?", fullmatch=True),
    st.sampled_from([word for rule in RULES.values() for word in getattr(rule, "words", ())]),
)
# A number that is whole but written as 1.0 is an integer to JSON Schema, and none to us.
NUMBERS = st.one_of(st.integers(-2, 1100), st.integers(2**63 - 2, 2**63 + 1))
VALUES = st.one_of(
    TEXTS, NUMBERS, st.booleans(), st.none(), st.floats(0.1, 0.9), st.lists(NUMBERS, max_size=2)
)


@pytest.mark.costly
@pytest.mark.parametrize("place", RULES)
def test_a_rule_and_its_schema_agree(place: str) -> None:
    rule = RULES[place]
    in_query = any(place == f"{o.name}.{name}" for o in OPERATIONS for name in o.query)
    admits = Draft202012Validator(rule.json_schema()).is_valid

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(VALUES)
    def agree(value: Any) -> None:
        if in_query and not isinstance(value, str | int):
            return  # a query holds text, and what a schema calls a number is written in digits
        try:
            stored = rule(str(value) if in_query and not isinstance(value, bool) else value)
        except Refused:
            assert not admits(value)
        else:
            assert admits(stored)

    agree()


@pytest.mark.parametrize("name", [name for name, body in BODIES.items() if body])
def test_an_item_of_a_list_has_the_schema_of_its_members(name: str) -> None:
    for field in BODIES[name].values():
        if isinstance(field.rule, Listed):
            schema = field.rule.json_schema()
            assert schema["items"]["properties"].keys() == field.rule.schema.keys()
            assert (schema["minItems"], schema["maxItems"]) == (1, field.rule.longest)
