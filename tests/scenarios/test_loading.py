"""Scenario files: what loads, and that every mistake is reported, all of them together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.assertions import Severity
from scenarios.crm_options import as_settings
from scenarios.errors import ExitCode, ScenarioError, UsageError
from scenarios.loading import builtin_scenarios, load_scenario, parse_budgets, parse_scenario
from scenarios.model import Secret
from scenarios.persona_fields import builtin_personas

GOOD = """
name = "mine"
[load]
mix = { sales_rep = 1 }
stages = [{ users = 10, hold = "20s" }, { users = 25, hold = "1m", ramp = "5s" }]
[budgets]
all = ["p(95) < 300ms"]
"""


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def mistakes_of(tmp_path: Path, text: str, *sets: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, text), settings=sets)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "nothing was sent" in caught.value.message
    return [f"{mistake.key}: {mistake}" for mistake in caught.value.mistakes]


@pytest.mark.parametrize("name", builtin_scenarios())
def test_every_scenario_that_comes_with_it_loads_and_says_its_question(name: str) -> None:
    scenario = load_scenario(name)

    assert scenario.name == name
    assert scenario.question.endswith("?")
    assert scenario.budgets


def test_the_demo_has_six_levels_and_a_minute_to_a_minute_and_a_half_of_load() -> None:
    from scenarios.schedule import plan

    scenario = load_scenario("demo")

    assert len({stage.level for stage in scenario.load.stages}) >= 6
    assert 60 <= plan(scenario).end_s <= 90


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path, GOOD))

    assert scenario.load.required == 25
    assert scenario.load.timeout_s == 10
    assert scenario.target.app == "crm"
    assert scenario.target.customers == 20_000
    assert scenario.drain_s == 2.0


def test_the_seed_of_the_load_is_that_of_the_dataset_unless_it_has_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)

    assert load_scenario(path, settings=["target.seed=7"]).load_seed == 7
    assert load_scenario(path, settings=["target.seed=7", "load.seed=0"]).load_seed == 0
    with pytest.raises(ScenarioError, match=r"load\.seed.*from 0 to"):
        load_scenario(path, settings=["load.seed=-1"])


def test_a_latency_budget_brings_an_error_budget_and_an_availability_with_it(
    tmp_path: Path,
) -> None:
    budgets = load_scenario(write(tmp_path, GOOD)).budgets

    assert [(budget.assertion.text, budget.implied is None) for budget in budgets] == [
        ("p(95) < 300ms", True),
        ("error_ratio < 1%", False),
        ("availability >= 99%", False),
    ]


def test_budgets_that_are_written_are_not_added_again() -> None:
    raw = {"budgets": {"all": ["max < 1s", "error_ratio < 5%", "availability >= 50%"]}}

    assert len(parse_budgets(raw, name="x")) == 3


def test_a_latency_that_only_warns_brings_budgets_that_only_warn() -> None:
    warned = parse_budgets({"budgets": {"all": ["warn: max < 1s"]}}, name="x")

    assert [budget.assertion.severity for budget in warned] == [Severity.WARN] * 3
    both = parse_budgets({"budgets": {"all": ["warn: max < 1s", "p(95) < 1s"]}}, name="x")
    assert [budget.assertion.severity for budget in both[2:]] == [Severity.FAIL] * 2


def test_a_file_of_budgets_without_any_is_a_mistake() -> None:
    documents: tuple[dict[str, object], ...] = (
        {},
        {"budgets": {}},
        {"budget": {"all": ["max < 1s"]}},
    )
    for raw in documents:
        with pytest.raises(ScenarioError):
            parse_budgets(raw, name="x")


def test_think_times_are_scaled_for_personas_only(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    text = GOOD.replace("mix = { sales_rep = 1 }", 'locustfile = "mine.py"\nthink_scale = 0.5')

    assert "load.think_scale" in mistakes_of(tmp_path, text)[0]


def test_all_mistakes_of_a_file_are_reported_together(tmp_path: Path) -> None:
    found = mistakes_of(
        tmp_path,
        """
        nmae = "typo"
        [target]
        workers = 0
        database = "postgres"
        options = { cache = "redis", pool_size = 0, sqlite_tx = "deferred", nonsense = 1 }
        extensions = ["loyal"]
        headers = { Authorization = "Bearer abc" }
        [load]
        mix = { sales_reb = 1 }
        timeout = "200ms"
        stages = [{ users = -1, hold = "20s" }, { users = 5, hold = "soon" }]
        [budgets]
        all = ["p(95) < 300ms", "p95 < 1s"]
        """,
    )
    text = "\n".join(found)

    for key in (
        "nmae",
        "target.workers",
        "target.options.cache",
        "target.options.pool_size",
        "target.options.sqlite_tx",
        "target.options.nonsense",
        "target.extensions",
        "target.headers.Authorization",
        "load.mix.sales_reb",
        "load.stages[0].users",
        "load.stages[1].hold",
        "budgets.all[1]",
        "load.timeout",
    ):
        assert key in text
    assert "did you mean name?" in text
    assert "did you mean sales_rep?" in text
    assert "Bearer" not in text


@pytest.mark.parametrize(
    ("setting", "key", "said"),
    [
        ("load.stages=[]", "load.stages", "at least one"),
        ('load.stages=[{users=1,hold="0s"}]', "load.stages[0].hold", "at least 1 s"),
        ("load.stages=[{users=1}]", "load.stages[0].hold", "found nothing"),
        ('load.stages=[{users=1.5,hold="5s"}]', "load.stages[0].users", "a whole number"),
        ('load.stages=[{users=true,hold="5s"}]', "load.stages[0].users", "a whole number"),
        ('load.stages=[{users=1,hold="5s",rmap="1s"}]', "load.stages[0].rmap", "mean ramp"),
        ('load.stages=[{rate=5,hold="5s"}]', "load.stages[0].rate", "allowed: users"),
        ("load.nonsense=1", "load.nonsense", "a key that does not exist"),
        ("target.nonsense=1", "target.nonsense", "a key that does not exist"),
        ("nonsense=1", "nonsense", "a key that does not exist"),
        ("load.required=17", "load.required", "10, 25"),
        ("load.max_users=5", "load.max_users", "at least the highest"),
        ('load.model="half"', "load.model", "closed or open"),
        ('load.arrivals="even"', "load.arrivals", "open"),
        ('load.connect_timeout="1h"', "load.connect_timeout", "at most the timeout"),
        ('load.extend="soon"', "load.extend", "a time with a unit"),
        ('stop.when="error_ratio > 50%"', "stop.when", "for 10s"),
        ('stop.when=""', "stop.when", "for 10s"),
        ('stop.when="p(99) > 1s for 10s"', "stop.when", "error_ratio, p(50), p(95)"),
        ('faults=[{kind="latency",at="1s",lasts="1s"}]', "faults[0].kind", "no faults of its own"),
        ('faults=[{kind="freeze",at="1s"}]', "faults[0].lasts", "a time with a unit"),
        ('faults=[{kind="freeze",at="1h",lasts="1s"}]', "faults[0].at", "before the load does"),
        ('faults=[{kind="kill",process="worker",at="1s",lasts="1s"}]', "faults[0].lasts", "again"),
        ('load.timeout="300ms"', "load.timeout", "more than every latency limit"),
        ("load.mix={}", "load.mix", "no persona"),
        ("load.mix=3", "load.mix", "a table"),
        ("load.think_scale=-1", "load.think_scale", "a number from 0"),
        ('target.url="http://user:pw@127.0.0.1/"', "target.url", "a literal credential"),
        ('target.url="http://h/?q=1"', "target.url", "a query"),
        ('target.url="ftp://127.0.0.1/"', "target.url", "http(s)://"),
        ('target.url="http://127.0.0.1:99999/"', "target.url", "http(s)://"),
        ('target.url="http://127.0.0.1:1"', "target.app", "one of the two"),
        ('target.database="oracle"', "target.database", "sqlite, postgres, or a URL"),
        ('target.database={env=""}', "target.database", "env"),
        ('target.database="postgresql://a:b@127.0.0.1/x"', "target.database", "credential"),
        ('target.database="postgresql://h/x?password=b"', "target.database", "credential"),
        ('target.database="postgresql://a@h/x?hostaddr=10.0.0.1"', "target.database", "hostaddr"),
        ('target.database="postgresql://a@h/x?service=b"', "target.database", "service"),
        ('target.database="postgresql:///x"', "target.database", "neither a host"),
        ('target.database="postgresql://a@h"', "target.database", "no name"),
        ('target.database="mysql://a@h/x"', "target.database", "another kind"),
        ('target.options.cache="redis"', "target.options.cache", "off or naive or ttl"),
        ('target.options.cahce="ttl"', "target.options.cahce", "did you mean cache?"),
        ("target.options.n_plus_one=1", "target.options.n_plus_one", "true or false"),
        ("target.options.pool_size=0", "target.options.pool_size", "from 1 to 128"),
        ("target.options.password_cost=21", "target.options.password_cost", "from 7 to 20"),
        ('target.options.drop_index=["x"]', "target.options.drop_index", "customers_owner"),
        ('target.options.drop_index="x"', "target.options.drop_index", "a list of texts"),
        ("target.options=3", "target.options", "a table"),
        ('target.extensions=["loyal"]', "target.extensions", "some of loyalty"),
        ('target.extensions=["loyalty","loyalty"]', "target.extensions", "each once"),
        ('target.accounts="a.jsonl"', "target.accounts", "with url alone"),
        ('target.headers.Cookie="a=b"', "target.headers.Cookie", "a literal credential"),
        ('target.headers."X-Api-Key"="k"', "target.headers.X-Api-Key", "credential"),
        ('target.headers."a b"="k"', "target.headers.a b", "RFC 9110"),
        ('target.headers.A={env=""}', "target.headers.A", "env"),
        ('target.headers.A="Łódź"', "target.headers.A", "ASCII"),
        ('budgets.all="p(95) < 1s"', "budgets.all", "a list of texts"),
        ('budgets."GET /"=["drift(memory) < 5%"]', "budgets.GET /[0]", "subject all"),
        ('budgets."GET /"=["capacity > 5"]', "budgets.GET /[0]", "subject all"),
        ('budgets."GET /"=["recovery_time < 5s"]', "budgets.GET /[0]", "subject all"),
        ("load.settle=3s", "load.settle", 'load.settle="3s"'),
        ("load", "load", "key=value"),
    ],
)
def test_each_kind_of_mistake_names_its_key_and_what_is_allowed(
    tmp_path: Path, setting: str, key: str, said: str
) -> None:
    (tmp_path / "a.jsonl").touch()
    target = "\n[target]\n" + ('app = "crm"\n' if "one of the two" in said else "")
    target += 'accounts = "a.jsonl"\n' if setting.startswith("target.url") else ""
    (mistake,) = mistakes_of(tmp_path, GOOD + target, setting)

    assert mistake.startswith(f"{key}: ")
    assert said in mistake


def test_a_locustfile_must_be_there_and_stand_alone(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, GOOD, 'load.locustfile="nowhere.py"')

    assert any("a Python file" in mistake for mistake in found)
    assert any("one of the two" in mistake for mistake in found)


def test_a_setting_replaces_what_stands_at_its_key_and_nothing_else(tmp_path: Path) -> None:
    scenario = load_scenario(
        write(tmp_path, GOOD),
        settings=['budgets.all=["p(95) < 1us"]', "target.customers=500", 'budgets."GET /"=[]'],
    )

    assert scenario.budgets[0].assertion.limit == pytest.approx(1e-6)
    assert scenario.target.customers == 500
    assert scenario.load.required == 25
    mix = load_scenario(write(tmp_path, GOOD), settings=["load.mix={portal_customer=1}"]).load.mix
    assert mix == {"portal_customer": 1}


def test_the_crms_database_options_and_extensions_are_read(tmp_path: Path) -> None:
    target = load_scenario(
        write(tmp_path, GOOD),
        settings=[
            'target.database="postgres"',
            'target.options={cache="ttl",n_plus_one=true,pool_size=2,drop_index=["orders_placed"]}',
            'target.extensions=["loyalty"]',
        ],
    ).target

    assert target.database == "postgres"
    assert target.extensions == ("loyalty",)
    assert as_settings(target.options) == [
        "cache=ttl",
        "n_plus_one=true",
        "pool_size=2",
        "drop_index=orders_placed",
    ]


@pytest.mark.parametrize(
    "value",
    [
        '"sqlite"',
        '"postgresql://crm@127.0.0.1:5432/crm"',
        '"postgresql://crm@/crm?host=/run/postgresql"',
        '"postgresql+psycopg://h.example/crm?sslmode=require"',
    ],
)
def test_a_database_may_be_a_url_without_a_password(tmp_path: Path, value: str) -> None:
    setting = f"target.database={value}"

    assert load_scenario(write(tmp_path, GOOD), settings=[setting]).target.database == value[1:-1]


def test_a_database_with_a_password_stays_in_the_environment(tmp_path: Path) -> None:
    setting = 'target.database={env="DATABASE_URL"}'
    scenario = load_scenario(write(tmp_path, GOOD), settings=[setting])

    assert scenario.target.database == Secret(env="DATABASE_URL")


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ('database="postgres"', "target.database"),
        ('options={cache="ttl"}', "target.options"),
        ('extensions=["loyalty"]', "target.extensions"),
        ("workers=9", "target.workers"),
        ("threads=2", "target.threads"),
        ("customers=1000000", "target.customers"),
    ],
)
def test_what_sets_up_the_crm_is_a_mistake_beside_a_url(
    tmp_path: Path, setting: str, key: str
) -> None:
    (tmp_path / "a.jsonl").touch()
    text = GOOD + '\n[target]\nurl = "http://127.0.0.1:1"\naccounts = "a.jsonl"\n'
    (mistake,) = mistakes_of(tmp_path, text, f"target.{setting}")

    assert mistake.startswith(f"{key}: ")
    assert "with app alone" in mistake


def test_the_seed_of_the_load_is_none_of_it_nor_is_what_was_recorded_before(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    text = GOOD + '\n[target]\nurl = "http://127.0.0.1:1"\naccounts = "a.jsonl"\n'
    raw = {**load_scenario(write(tmp_path, text)).raw}
    raw["target"] = {"url": "http://127.0.0.1:1", "customers": 2_000, "workers": 1}

    assert load_scenario(write(tmp_path, text), settings=["target.seed=7"]).load_seed == 7
    assert parse_scenario(raw, name="a run", folder=None).target.customers == 2_000


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load_scenario(write(tmp_path, "\ufeff" + GOOD)).name == "mine"


def test_a_mix_at_a_url_needs_its_accounts_and_a_locustfile_does_not(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    text = GOOD + '\n[target]\nurl = "http://127.0.0.1:1"\n'
    (mistake,) = mistakes_of(tmp_path, text)
    theirs = text.replace("mix = { sales_rep = 1 }", 'locustfile = "mine.py"')

    assert mistake.startswith("target.accounts: ")
    assert load_scenario(write(tmp_path, theirs)).target.accounts is None


def test_accounts_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    text = GOOD + '\n[target]\nurl = "http://127.0.0.1:1"\naccounts = "people.jsonl"\n'
    (mistake,) = mistakes_of(tmp_path, text)
    (tmp_path / "people.jsonl").touch()

    assert "a file of accounts" in mistake
    assert load_scenario(write(tmp_path, text)).target.accounts == tmp_path / "people.jsonl"


def test_secrets_are_kept_by_name_only(tmp_path: Path) -> None:
    setting = 'target.headers.Authorization={env="API_TOKEN"}'
    scenario = load_scenario(write(tmp_path, GOOD), settings=[setting])

    assert scenario.target.headers == {"Authorization": Secret(env="API_TOKEN")}


def test_an_unknown_scenario_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match="breakpoint, capacity, data_growth, demo") as caught:
        load_scenario("no-such-scenario")

    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"[load\n"])
def test_a_file_that_is_no_toml_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=r"broken\.toml"):
        load_scenario(str(path))


_values: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        10**12,
        0.5,
        float("nan"),
        "",
        "20s",
        "p(95) < 1s",
        [],
        ["x"],
        {},
        {"env": "X"},
        {"users": 1},
        [{}],
        [[]],
        *builtin_personas(),
    ]
)
_stage = st.fixed_dictionaries({"users": _values, "hold": _values}, optional={"ramp": _values})
_tables = st.dictionaries(
    st.sampled_from(
        ["stages", "mix", "required", "timeout", "url", "app", "headers", "all", "settle"]
    ),
    _values | st.lists(_stage, max_size=2),
    max_size=4,
)


@pytest.mark.costly
@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["name", "title", "target", "load", "budgets", "stop", "faults", "x"]),
        _tables | _values,
    )
)
def test_no_document_does_worse_than_a_scenario_error(document: dict[str, object]) -> None:
    try:
        scenario = parse_scenario(document, name="fuzz", folder=Path("/nonexistent"))
    except ScenarioError as error:
        mistakes = error.mistakes
    else:
        mistakes = ()
        assert scenario.load.stages
    assert all(mistake.found and mistake.allowed for mistake in mistakes)
