"""What ``trueload validate`` says that budgets need, and get."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from loadtests.cli import trueload
from loadtests.needs import need
from scenarios.assertions import Metric
from scenarios.errors import ScenarioError
from scenarios.loading import load_scenario

STAGES = "load.stages=[{{rate={rate}, hold='{hold}'}}]"
NOT_KNOWN = "how many requests it gets is not known: the locustfile decides"


def needs_of(text: str, *settings: str) -> str:
    """What a budget about all requests needs in the scenario of arrivals, with settings."""
    scenario = load_scenario("arrivals", settings=(f"budgets.all=['{text}']", *settings))
    found = {budget.assertion.text: need(scenario, budget) for budget in scenario.budgets}
    return found[text]


def arrivals(rate: float, hold: str) -> str:
    """One stage of so many clicks per second, each of 1.17 requests on average."""
    return STAGES.format(rate=rate, hold=hold)


ENOUGH, FEW = arrivals(20, "100s"), arrivals(1, "20s")

SAID: dict[Metric, tuple[str, str, str]] = {
    Metric.PERCENTILE: (
        "p(95) < 500ms",
        "a pass takes at least 78 requests in the hold, about 2,342 will be sent",
        "about 23 will be sent: TOO FEW",
    ),
    Metric.MEDIAN: (
        "med < 500ms",
        "a pass takes at least 5 requests in the hold, about 2,342 will be sent",
        "a pass takes at least 5 requests in the hold, about 23 will be sent",
    ),
    Metric.ERROR_RATIO: (
        "error_ratio < 1%",
        "a pass takes at least 402 requests in the hold, about 2,342 will be sent",
        "about 23 will be sent: TOO FEW",
    ),
    Metric.APDEX: (
        "apdex(500ms) > 0.9",
        "a pass takes at least 37 requests in the hold, about 2,342 will be sent",
        "about 23 will be sent: TOO FEW",
    ),
    Metric.MEAN: (
        "avg < 500ms",
        "a decision takes at least 66 requests in the hold, about 2,342 will be sent",
        "about 23 will be sent: TOO FEW",
    ),
    Metric.MAXIMUM: (
        "max < 2s",
        "judged by what is seen: one request beyond the limit breaks it, "
        "about 2,342 will be sent",
        "about 23 will be sent",
    ),
    Metric.THROUGHPUT: (
        "throughput > 10/s",
        "a pass takes at least 1,053 right answers in a hold of 100 s, about 2,342 will be sent",
        "a pass takes at least 225 right answers in a hold of 20 s, "
        "about 23 will be sent: TOO FEW",
    ),
    Metric.AVAILABILITY: (
        "availability >= 99%",
        "judged second by second up to the end of the required stage: "
        "of 103 s at most 1 may be down",
        "of 23 s none may be down",
    ),
    Metric.RECOVERY_TIME: (
        "recovery_time < 10s",
        "a decision takes something to recover from: NEITHER A FAULT NOR A SPIKE is in the "
        "scenario, and without an outage the budget stays undecided",
        "and without an outage the budget stays undecided",
    ),
    Metric.DRIFT: (
        "drift(p(95)) < 10%",
        "a decision takes a hold of at least 60 s, it lasts 100 s; and at least 1,080 requests "
        "in it, about 2,342 will be sent",
        "it lasts 20 s: TOO SHORT; and at least 1,080 requests in it, "
        "about 23 will be sent: TOO FEW",
    ),
    Metric.CAPACITY: (
        "capacity >= 10/s",
        "a pass takes a stage of at least 10 arrivals/s that passes, the highest has "
        "20 arrivals/s; NO OTHER BUDGET decides whether a stage passes",
        "the highest has 1 arrivals/s: TOO LOW; NO OTHER BUDGET decides whether a stage passes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("metric", Metric)
def test_each_metric_says_what_it_needs_and_gets(metric: Metric) -> None:
    text, enough, few = SAID[metric]

    assert needs_of(text, ENOUGH) == enough
    assert needs_of(text, FEW).endswith(few)


@pytest.mark.parametrize("text", ["error_ratio <= 0%", "apdex(500ms) >= 1"])
def test_a_limit_at_the_end_of_its_scale_is_broken_by_one_request(text: str) -> None:
    said = "judged by what is seen: one request that is not as it should be breaks it"
    assert needs_of(text, ENOUGH) == f"{said}, about 2,342 will be sent"


@pytest.mark.parametrize(
    "text",
    [
        "p(95) < 1s",
        "avg < 1s",
        "max < 1s",
        "throughput > 1/s",
        "error_ratio < 1%",
        "drift(avg) < 9%",
    ],
)
def test_a_locustfile_decides_how_many_requests_there_will_be(text: str) -> None:
    scenario = load_scenario("capacity", settings=(f"budgets.all=['{text}']",))

    assert need(scenario, scenario.budgets[0]).endswith(f"; {NOT_KNOWN}")


def test_a_hold_that_may_be_held_on_gets_more() -> None:
    said = needs_of("p(99) < 1s", arrivals(10, "20s"), "load.extend='1m'")

    assert said.endswith("at least 402 requests in the hold, about 234 to 937 will be sent")


def test_a_lower_stage_is_held_to_no_floor() -> None:
    stages = "load.stages=[{rate=10, hold='20s'}, {rate=100, hold='20s'}]"

    said = needs_of("throughput > 90/s", stages)
    assert said.endswith("will be sent; lower stages are held to no floor")


def test_users_who_wait_do_not_click() -> None:
    scenario = load_scenario("recovery")

    assert ", at most about " in need(scenario, scenario.budgets[0])


def test_a_recovery_takes_calm_before_what_disturbs() -> None:
    faults = (
        "faults=[{kind='freeze', at='1s', lasts='1s'}, {kind='freeze', at='24s', lasts='1s'},"
        "{kind='freeze', at='60s', lasts='1s'}]"
    )
    scenario = load_scenario("recovery", settings=(faults,))
    said = need(
        scenario, next(b for b in scenario.budgets if b.assertion.metric == "recovery_time")
    )

    assert said.startswith("a decision takes 2.5 s and 100 requests of the same load before each")
    first, second, third = said.partition("disturbance: ")[2].split("; ")
    assert first == (
        "freeze of the server at 1 s comes while the load changes: NOTHING TO COMPARE WITH"
    )
    assert second.startswith("freeze of the server at 24 s has 1 s")
    assert second.endswith(": TOO SHORT")
    assert third.startswith("freeze of the server at 60 s has 36 s and at most about 1,")


def test_a_spike_is_something_to_recover_from() -> None:
    scenario = load_scenario("spike")
    said = need(
        scenario, next(b for b in scenario.budgets if b.assertion.metric == "recovery_time")
    )

    assert "spike to 200 arrivals/s at 90 s has 60 s and about 1,377 requests" in said
    assert "TOO" not in said


def test_stages_on_the_way_to_a_spike_are_calm() -> None:
    levels = "load.stages=[{users=10,hold='1m'},{users=20,hold='1m'},{users=50,hold='1m'},"
    fault = "faults=[{kind='freeze', at='120s', lasts='1s'}]"
    scenario = load_scenario("recovery", settings=(f"{levels}{{users=10,hold='1m'}}]", fault))
    said = need(
        scenario, next(b for b in scenario.budgets if b.assertion.metric == "recovery_time")
    )

    assert "freeze of the server at 120 s has " in said
    assert "TOO" not in said


def test_a_drift_of_what_nobody_sees_is_told(tmp_path: Path) -> None:
    """A process at a URL is not ours to look into, nor is the pool of a system of any kind."""
    file = tmp_path / "mine.toml"
    file.write_text(
        """
        [target]
        url = "http://127.0.0.1:8000"
        [load]
        locustfile = "mine.py"
        stages = [{ users = 5, hold = "5m" }]
        [budgets]
        all = ["drift(memory) < 9%", "drift(files) < 9%", "drift(connections) < 9%"]
        """
    )
    (tmp_path / "mine.py").touch()
    scenario = load_scenario(str(file))

    for budget in scenario.budgets:
        assert need(scenario, budget) == (
            f"a decision takes somebody who sees the {budget.assertion.series} of the target: "
            "NOBODY DOES"
        )


@pytest.mark.parametrize(
    ("hold", "said"), [("20s", "it lasts 20 s: TOO SHORT\n"), ("5m", "it lasts 300 s\n")]
)
def test_a_drift_needs_a_hold_of_a_minute(hold: str, said: str) -> None:
    told = CliRunner().invoke(
        trueload,
        ["validate", "soak", "--set", f'load.stages=[{{users=5, hold="{hold}"}}]'],
    )

    assert told.exit_code == 0, told.output
    assert f"drift(memory) < 25%; a decision takes a hold of at least 60 s, {said}" in told.output


def test_every_budget_of_a_scenario_has_its_sentence() -> None:
    told = CliRunner().invoke(trueload, ["validate", "recovery"])

    assert told.exit_code == 0, told.output
    scenario = load_scenario("recovery")
    for budget in scenario.budgets:
        assert f"{budget.assertion.text}; {need(scenario, budget)}" in told.output


def validated(*words: str) -> str:
    told = CliRunner().invoke(trueload, ["validate", *words])

    assert told.exit_code == 0, told.output
    return told.output


def scenario_file(tmp_path: Path, rest: str, head: str = "") -> str:
    path = tmp_path / "mine.toml"
    load = '[load]\nmix = { sales_rep = 1 }\nstages = [{ users = 5, hold = "1m" }]\n'
    path.write_text(head + load + rest)
    return str(path)


def test_what_is_varied_is_told_with_what_is_expected_of_growth() -> None:
    said = validated("data_growth")

    assert "varied: target.customers = 10000, 100000, 1000000" in said
    assert "3 runs, one after the other" in said
    assert "growth of p(95) with target.customers: no worse than linear" in said
    assert "it decides nothing" in said
    assert "expected by the team that runs the CRM; source: assumption: nobody waits" in said


def test_growth_that_is_stated_takes_the_volume_varied_alone(tmp_path: Path) -> None:
    stated = '[expectations]\ngrowth = "logarithmic"\n'
    one = validated(scenario_file(tmp_path, stated))
    two = '[vary]\n"target.customers" = [1_000, 2_000]\n'
    seeds = f'{two}"load.seed" = [1, 2]\n'
    few = validated(scenario_file(tmp_path, stated, head=two))
    several = validated(scenario_file(tmp_path, stated, head=seeds))

    assert "no worse than logarithmic" in one
    assert "TAKES target.customers VARIED ALONE" in one
    assert "in 3 runs at least" in few
    assert "decides nothing" not in several
    assert "VARIED ALONE" not in several


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('"target.customers" = ["many"]', "target.customers: found 'many'"),
        ('"target.nonsense" = [1]', "target.nonsense: found a key that does not exist"),
        ('"target.customers" = 5', "lists of values"),
    ],
)
def test_what_is_varied_is_checked_too(tmp_path: Path, table: str, said: str) -> None:
    path = scenario_file(tmp_path, "", head=f"[vary]\n{table}\n")
    told = CliRunner().invoke(trueload, ["validate", path])

    assert isinstance(told.exception, ScenarioError)
    assert said in told.exception.message


def test_what_only_warns_and_whose_a_budget_is_is_told(tmp_path: Path) -> None:
    budgets = (
        '[budgets]\nall = ["warn: p(99) < 400ms", '
        '{ assert = "p(95) < 300ms", owner = "support", source = "own history" }]\n'
    )
    said = validated(scenario_file(tmp_path, budgets))

    assert "all: warn: p(99) < 400ms; a pass takes" in said
    assert " (expected by support; source: own history)\n" in said


@pytest.mark.parametrize(
    ("subject", "near"),
    [
        ("GET /api/v1/custommers", " (did you mean GET /api/v1/customers?)"),
        ("/api/v1/custommers", " (did you mean /api/v1/customers?)"),
        ("DELETE everything", ""),
    ],
)
def test_a_budget_on_what_nobody_requests_is_told_with_the_nearest_name(
    tmp_path: Path, subject: str, near: str
) -> None:
    said = validated(scenario_file(tmp_path, f'[budgets]\n"{subject}" = ["p(95) < 300ms"]\n'))

    assert f"{subject}: p(95) < 300ms; NO STEP OF THE MIX REQUESTS IT{near}\n" in said
