"""A scenario with something varied: which runs it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.variation import hint_for, load_variants, parse_variation, read_variations

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


def test_a_key_with_dots_of_its_own_is_quoted_as_in_a_setting(tmp_path: Path) -> None:
    text = 'budgets."GET /a.b"=["p(95) < 1s"],["p(95) < 2s"]'
    variants = load_variants(varied(tmp_path), vary=read_variations([text], {}))

    for variant, limit_s in zip(variants, (1.0, 2.0), strict=True):
        (budget,) = [b for b in variant.scenario.budgets if b.subject == "GET /a.b"]
        assert budget.assertion.limit == limit_s


@pytest.mark.parametrize(
    ("texts", "taken", "said"),
    [
        (["target.workers=1,2", "target.workers=4"], {}, "--vary target.workers beside it"),
        (['target."workers"=1', "target.workers=4"], {}, 'target."workers" beside it'),
        (["target.options={},{}", 'target.options.cache="ttl"'], {}, "target.options beside it"),
        (["load.seed=1,2"], {("load", "seed"): "--set"}, "--set beside it"),
        (["target.options={}"], {("target", "options", "cache"): "--set"}, "target.options.cache"),
        (['target.database="sqlite"'], {("target", "database"): "--database"}, "or --database"),
    ],
)
def test_what_is_varied_twice_or_set_as_well_is_a_mistake(
    texts: list[str], taken: dict[tuple[str, ...], str], said: str
) -> None:
    with pytest.raises(ScenarioError, match=r"--vary: (target|load)") as caught:
        read_variations(texts, taken)

    assert said in caught.value.message
    assert "validate" not in str(caught.value.hint)


def test_a_part_of_what_is_set_whole_may_be_varied() -> None:
    assert read_variations(
        ["target.options.cache='ttl','off'"], {("target", "options"): "--set"}
    ) == {"target.options.cache": ["ttl", "off"]}


def test_the_mistakes_of_all_that_is_varied_come_together(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as texts:
        read_variations(["a=x", "b", "c=1", "c=2"], {})
    with pytest.raises(ScenarioError) as values:
        load_variants(varied(tmp_path), vary={"target.workers": [1, 0], "target.nonsense": [1]})

    assert len(texts.value.mistakes) == 3
    assert {m.key for m in values.value.mistakes} == {"target.workers", "target.nonsense"}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("target.customers", "it sets up the CRM"),
        ("target.workers", "it sets up the CRM"),
        ("target.seed", "load.seed, varied instead"),
    ],
)
def test_what_has_no_effect_beside_a_url_is_not_varied(tmp_path: Path, key: str, said: str) -> None:
    (tmp_path / "a.jsonl").touch()
    target = '[target]\nurl = "http://127.0.0.1:1"\naccounts = "a.jsonl"\n'
    rest = VARIED.split("[load]")[1]
    path = varied(tmp_path, f'[vary]\n"{key}" = [1_000, 2_000]\n{target}[load]\nseed = 1\n{rest}')

    with pytest.raises(ScenarioError, match=said):
        load_variants(path)


@pytest.mark.parametrize(
    ("table", "setting", "said"),
    [
        ('"GET /" = [1]', "load.seed=1", "lists of values by dotted key"),
        ('"target.options" = [{}]\n"target.options.cache" = ["ttl"]', "load.seed=1", "beside"),
        ('"target.options" = [{}]', 'target.options.cache="ttl"', "a part of target.options"),
    ],
)
def test_a_table_that_would_be_overridden_in_part_is_a_mistake(
    tmp_path: Path, table: str, setting: str, said: str
) -> None:
    path = varied(tmp_path, f"[vary]\n{table}\n[load]{VARIED.split('[load]')[1]}")

    with pytest.raises(ScenarioError, match=said):
        load_variants(path, settings=[setting])


def test_who_has_a_mistake_on_the_command_line_is_not_sent_to_the_file(tmp_path: Path) -> None:
    good, bad = varied(tmp_path), tmp_path / "bad.toml"
    bad.write_text(VARIED.replace("[1, 2]", "[1, 0]"))

    assert "mend what the command line sets" in hint_for(good)
    assert hint_for(str(bad)) == f"mend and check with: trueload validate {bad}"
