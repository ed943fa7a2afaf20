"""A scenario with something varied: which runs it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.variation import load_variants, parse_variation

VARIED = """
[vary]
"target.customers" = [1_000, 2_000]
"target.workers" = [1, 2]
[load]
mix = { sales_rep = 1 }
stages = [{ users = 10, hold = "20s" }]
[budgets]
all = ["p(95) < 300ms"]
"""


def varied(tmp_path: Path, text: str = VARIED) -> str:
    path = tmp_path / "varied.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_run_for_each_combination_the_last_key_fastest(tmp_path: Path) -> None:
    variants = load_variants(varied(tmp_path))
    assert [list(variant.settings.values()) for variant in variants] == [
        [1_000, 1],
        [1_000, 2],
        [2_000, 1],
        [2_000, 2],
    ]
    assert [v.scenario.target.customers for v in variants] == [1_000, 1_000, 2_000, 2_000]
    assert variants[1].words == "target.customers = 1000, target.workers = 2"
    assert variants[3].scenario.raw["target"] == {"customers": 2_000, "workers": 2}


def test_what_the_command_line_sets_is_not_varied(tmp_path: Path) -> None:
    variants = load_variants(varied(tmp_path), settings=["target.customers=500"])
    assert [list(variant.settings.values()) for variant in variants] == [[1], [2]]
    assert {v.scenario.target.customers for v in variants} == {500}


def test_without_variation_there_is_one_run(tmp_path: Path) -> None:
    (variant,) = load_variants(varied(tmp_path), vary={})
    assert variant.settings == {}


def test_the_command_lines_own_values_replace_the_scenarios(tmp_path: Path) -> None:
    key, values = parse_variation('target.database="sqlite","postgres"')
    variants = load_variants(varied(tmp_path), vary={key: values})
    assert [v.scenario.target.database for v in variants] == ["sqlite", "postgres"]


@pytest.mark.parametrize("text", ["target.workers", "target.workers=", "=1,2", "a=x,y"])
def test_values_that_cannot_be_read_are_a_mistake(text: str) -> None:
    with pytest.raises(ScenarioError, match="KEY=V1,V2"):
        parse_variation(text)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('"target.customers" = 5', "lists of values"),
        ('"target.customers" = []', "lists of values"),
        ('"target.customers" = [1_000, 5]', "100 to"),
        (f'"target.seed" = {list(range(51))}', "at most 50"),
    ],
)
def test_a_value_that_is_a_mistake_is_found_before_the_first_run(
    tmp_path: Path, table: str, said: str
) -> None:
    head, rest = VARIED.split('"target.customers"', maxsplit=1)[0], VARIED.split("[load]")[1]
    text = f"{head}{table}\n[load]{rest}"
    with pytest.raises(ScenarioError, match=said):
        load_variants(varied(tmp_path, text))
