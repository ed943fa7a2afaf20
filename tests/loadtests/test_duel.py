"""A duel as it is fought: order by lot, runs that are made again, ends, and what it leaves."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import analysis
from analysis.duel import Question, needs_of
from analysis.duel_reading import Metric
from analysis.report.duel import as_markdown, as_text, plain
from analysis.sequential import FloatArray, Rules, judge, refuted
from loadtests.duel import SAME, Duel, Lot, draw
from loadtests.duel_cli import _plan
from loadtests.options import RunOptions
from loadtests.sides import Role, Side, Spec, prepare, read_spec
from loadtests.supervisor import Interrupted
from scenarios.errors import (
    HostNotAllowed,
    ScenarioError,
    TargetError,
    TrueloadError,
    UsageError,
)
from tests.support.fought import Machine, manifests, share, verdict

SCHEMA = Draft202012Validator(
    json.loads((Path(analysis.__file__).parent / "schema" / "duel.schema.json").read_text())
)
RATIOS = (1.01, 0.98, 1.0, 0.99, 1.02, 1.0, 0.97, 1.03)


def options(**changes: Any) -> RunOptions:
    """The command line, with nothing said."""
    said: dict[str, Any] = {
        "url": None,
        "database": None,
        "accounts": None,
        "settings": (),
        "out": Path("runs"),
        "locustfile": None,
        "allow": (),
        "processes": 1,
        "inconclusive": None,
        "no_report": True,
        "as_json": False,
    }
    return RunOptions(**(said | changes))


def sides(candidate: str = "target.workers=2") -> dict[Role, Side]:
    both = prepare("duel", options(), Spec(words="as-is"), read_spec([candidate], "--candidate"))
    return dict(zip(Role, both, strict=True))


def fight(
    folder: Path,
    says: Callable[[str, int], dict[str, Any]],
    told: list[str] | None = None,
    candidate: str = "target.workers=2",
    **question: Any,
) -> tuple[dict[str, Any], Machine, list[str]]:
    """Fight a duel on a machine that nobody has."""
    told = [] if told is None else told
    machine = Machine(folder, says)
    duel = Duel(
        sides=sides(candidate),
        question=Question(**({"rules": Rules()} | question)),
        seed=4,
        folder=folder,
        run_one=machine.run,
        say=told.append,
    )
    found = duel.fight()
    SCHEMA.validate(found)
    return found, machine, told


def times_worse(factor: float) -> Callable[[str, int], dict[str, Any]]:
    """A candidate that is slower by a factor, on a machine that varies a little."""
    return lambda role, run: verdict(40.0 * (factor * RATIOS[run] if role == "candidate" else 1.0))


def test_the_lot_is_fair_and_can_be_drawn_again() -> None:
    """Of 4,000 pairs half begin with the base: beyond 5 sd less than once in a million seeds."""
    lots = draw(4_000, 7)
    first = sum(lot.order[0] is Role.BASE for lot in lots)

    assert abs(first - 2_000) < 5 * 31.7
    assert draw(8, 7) == lots[:8]
    assert len({lot.load_seed for lot in lots}) > 3_990
    assert all(set(lot.order) == set(Role) for lot in lots)


def test_a_candidate_that_is_no_worse_is_known_after_five_pairs(tmp_path: Path) -> None:
    found, machine, told = fight(tmp_path, times_worse(1.0))

    assert (found["verdict"], found["exit_code"], found["decided_at"]) == ("not regressed", 0, 5)
    assert len(machine.made) == 10
    assert [line.split(":")[0] for line in told] == [f"pair {n} of at most 8" for n in range(1, 6)]
    assert told[-1].startswith(
        "pair 5 of at most 8: 1.02 (base 40.0 ms, candidate 40.8 ms); so far"
    )
    assert found["ratio"]["high"] == pytest.approx(1.02, abs=1e-3)


def test_a_candidate_that_is_worse_is_known_after_six_pairs(tmp_path: Path) -> None:
    found, machine, _ = fight(tmp_path, times_worse(1.2))

    assert (found["verdict"], found["exit_code"], found["decided_at"]) == ("regressed", 98, 6)
    assert len(machine.made) == 12
    assert found["ratio"]["low"] > 1.05
    assert found["ratio"]["value"] == pytest.approx(1.2, rel=0.02)


def test_throughput_is_worse_when_it_falls(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        made = verdict(40.0)
        made["stages"][0]["throughput"]["value"] = 60.0 * (
            0.8 * RATIOS[run] if role == "candidate" else 1.0
        )
        return made

    found, _, _ = fight(tmp_path, says, metric=Metric.THROUGHPUT)

    assert found["verdict"] == "regressed"
    assert found["ratio"]["value"] == pytest.approx(0.8, rel=0.02)
    assert found["ratio"]["high"] < 1 / 1.05


def test_both_runs_of_a_pair_have_the_load_of_the_lot_in_the_order_of_the_lot(
    tmp_path: Path,
) -> None:
    _, machine, _ = fight(tmp_path, times_worse(1.0))
    lots: list[Lot] = draw(8, 4)[:5]

    assert machine.made == [(str(role), lot.load_seed) for lot in lots for role in lot.order]
    assert {role for role, _ in machine.made[::2]} == {"base", "candidate"}  # seed 4 draws both


def test_manifests_say_which_run_of_which_pair_each_is(tmp_path: Path) -> None:
    found, machine, _ = fight(tmp_path, times_worse(1.0))

    notes = manifests(tmp_path)
    assert [note["sequence"] for note in notes] == list(range(1, 11))
    assert [note["role"] for note in notes] == [role for role, _ in machine.made]
    assert [note["pair"] for note in notes] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert {note["group"] for note in notes} == {found["duel"]}
    assert json.loads((tmp_path / "duel.json").read_text()) == found


def test_an_invalid_run_is_made_once_more_at_its_place(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        if (role, run) == ("candidate", 1):
            return verdict(40.0, verdict="invalid", why="the generator did not keep up")
        return verdict(40.0 * RATIOS[run % 8])

    found, machine, told = fight(tmp_path, says)
    lots = draw(8, 4)
    roles = [str(role) for lot in lots for role in lot.order]
    place = [n for n, role in enumerate(roles) if role == "candidate"][1]

    assert [role for role, _ in machine.made[:6]] == [*roles[: place + 1], *roles[place:5]]
    assert found["runs"][place]["why"].startswith("invalid")
    assert "made once more" in " ".join(told)
    assert len(found["pairs"]) >= 5


def test_a_run_that_is_invalid_twice_ends_the_duel_without_an_answer(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        if role == "base" and run >= 2:
            return verdict(40.0, verdict="invalid", why="the generator did not keep up")
        return verdict(40.0)

    found, _, _ = fight(tmp_path, says)

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert found["why"].startswith("the base's run gave no value 2 times: invalid")
    assert len(found["pairs"]) == 2


def test_without_one_pair_of_valid_runs_the_duel_is_invalid(tmp_path: Path) -> None:
    found, _, _ = fight(
        tmp_path, lambda *_: verdict(40.0, verdict="invalid", why="records were lost")
    )

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 96)
    assert as_text(found).splitlines()[-2].startswith("inconclusive: the ")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (verdict(10_000.0, bound=True), r"p95 is at least 1e\+04"),
        (verdict(None), "there are no values"),
        (verdict(40.0, ended={"complete": False, "why": "target_lost"}), r"cut short \(target"),
    ],
)
def test_a_run_without_a_value_that_a_ratio_can_be_made_of_says_why(
    tmp_path: Path, run: dict[str, Any], words: str
) -> None:
    found, _, _ = fight(tmp_path, lambda role, _: run if role == "candidate" else verdict(40.0))

    assert found["verdict"] == "inconclusive"
    assert re.search(words, found["why"])


@pytest.mark.parametrize("run", [verdict(10_000.0, bound=True), verdict(None)])
def test_valid_runs_without_a_value_are_inconclusive_and_not_invalid(
    tmp_path: Path, run: dict[str, Any]
) -> None:
    found, _, _ = fight(tmp_path, lambda role, _: run if role == "candidate" else verdict(40.0))

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert found["pairs"] == []


@pytest.mark.parametrize(
    ("broken", "answer"), [("candidate", "inconclusive"), ("base", "not regressed")]
)
def test_a_candidate_that_broke_more_often_is_not_called_not_regressed(
    tmp_path: Path, broken: str, answer: str
) -> None:
    lost = verdict(40.0, ended={"complete": False, "why": "target_lost"})

    def says(role: str, run: int) -> dict[str, Any]:
        return lost if role == broken and run == 2 else verdict(40.0)

    found, machine, _ = fight(tmp_path, says)

    assert found["verdict"] == answer
    assert len(machine.made) == 11
    assert ("1 run of the candidate had to be made again" in found["why"]) == (
        broken == "candidate"
    )


def test_an_endpoint_that_was_not_requested_ends_the_duel_at_once(tmp_path: Path) -> None:
    """The second run of the same load would not request it either."""
    found, machine, told = fight(tmp_path, times_worse(1.0), subject="GET /b")

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert len(machine.made) == 1
    assert "once more" not in " ".join(told)
    assert found["why"] == (
        "the base's run gave no value: GET /b was sent no request in the hold; requested were: "
        "GET /a, all"
    )


def test_a_candidate_that_is_fast_because_it_fails_is_not_called_not_regressed(
    tmp_path: Path,
) -> None:
    broken: dict[str, Any] = {
        "verdict": "failed",
        "why": "all: error_ratio < 1% is broken",
        "budgets": [{"metric": "error_ratio", "verdict": "failed"}],
    }
    found, _, _ = fight(
        tmp_path, lambda role, _: verdict(40.0, **(broken if role == "candidate" else {}))
    )

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert "5 of 5 runs of the candidate fail by errors, 0 of the base's" in found["why"]


@pytest.mark.parametrize(
    ("base", "candidate", "verdict_of_runs"),
    [
        (0.0, 0.5, "passed"),  # no budget looks at errors
        (0.015, 0.6, "failed"),  # the budget is broken by both sides
        (0.0, 0.006, "passed"),  # within the budget of one per cent
    ],
)
def test_a_candidate_with_more_bad_requests_is_not_called_not_regressed(
    tmp_path: Path, base: float, candidate: float, verdict_of_runs: str
) -> None:
    shares = {"base": base, "candidate": candidate}
    budgets = [{"metric": "error_ratio", "verdict": verdict_of_runs}]

    found, _, _ = fight(
        tmp_path,
        lambda role, run: verdict(
            40.0 * RATIOS[run], bad=shares[role], verdict=verdict_of_runs, budgets=budgets
        ),
    )

    assert (found["verdict"], found["exit_code"], found["decided_at"]) == ("inconclusive", 97, 5)
    assert found["why"] == (
        f"p95 is not worse, but more of all requests are bad: {100 * candidate:.3g} % of the "
        f"candidate's, {100 * base:.3g} % of the base's (tolerance: 0.5 points)"
    )


def test_bad_requests_of_both_sides_alike_leave_the_answer(tmp_path: Path) -> None:
    shares = {"base": 0.30, "candidate": 0.304}

    found, _, _ = fight(tmp_path, lambda role, run: verdict(40.0 * RATIOS[run], bad=shares[role]))

    assert (found["verdict"], found["exit_code"]) == ("not regressed", 0)


def test_the_endpoint_that_is_asked_for_must_not_fail_more_either(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        made = verdict(40.0 * RATIOS[run])
        if role == "candidate":  # too rare to be seen among all requests
            made["stages"][0]["endpoints"][0]["error_ratio"] = share(0.4)
        return made

    found, _, _ = fight(tmp_path, says, subject="GET /a")

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert "more of GET /a are bad: 40 % of the candidate's, 0 % of the base's" in found["why"]
    assert fight(tmp_path / "all", says)[0]["verdict"] == "not regressed"


def test_a_run_that_was_interrupted_ends_the_duel_as_inconclusive(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        return verdict(40.0, exit_code=130) if run == 1 else verdict(40.0)

    found, _, _ = fight(tmp_path, says)

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 130)
    assert found["why"] == "interrupted after 1 pair"


@pytest.mark.parametrize("interrupt", [Interrupted("before any load"), KeyboardInterrupt()])
def test_an_interrupt_between_runs_keeps_what_there_is(
    tmp_path: Path, interrupt: BaseException
) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        if run == 3:
            raise interrupt
        return verdict(40.0)

    found, _, _ = fight(tmp_path, says)

    assert (found["exit_code"], len(found["pairs"])) == (130, 3)
    assert (tmp_path / "duel.json").is_file()


@pytest.mark.parametrize("kind", [TargetError, UsageError])
@pytest.mark.parametrize("made", [0, 1, 2])
def test_a_run_that_cannot_be_made_any_more_ends_the_duel_without_an_answer(
    tmp_path: Path, made: int, kind: type[UsageError]
) -> None:
    """Something was sent: that is no bad usage, with a pair before it or without one."""

    def says(role: str, run: int) -> dict[str, Any]:
        if run == made and role == "candidate":
            raise kind("the CRM ended while it started")
        return verdict(40.0)

    found, _, _ = fight(tmp_path, says)

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    assert found["why"] == "a run could not be made: the CRM ended while it started"
    assert len(found["pairs"]) == made
    assert json.loads((tmp_path / "duel.json").read_text()) == found
    assert (tmp_path / "duel.md").is_file()


def test_a_target_that_never_starts_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        raise TargetError("nobody listens")

    with pytest.raises(TargetError):
        fight(tmp_path, says)

    assert not (tmp_path / "duel.json").exists()


def test_an_error_of_ours_is_told_with_the_place_of_what_was_made(tmp_path: Path) -> None:
    told: list[str] = []

    def says(role: str, run: int) -> dict[str, Any]:
        if run == 2:
            raise TrueloadError("no space left")
        return verdict(40.0)

    with pytest.raises(TrueloadError, match="no space left"):
        fight(tmp_path, says, told=told)

    assert told[-1] == f"what was made until then: {tmp_path / 'duel.json'}"
    assert "no space left" in json.loads((tmp_path / "duel.json").read_text())["why"]


@pytest.mark.costly
def test_what_is_said_to_be_detectable_is_found_in_three_of_four_duels() -> None:
    """4,000 duels of normal pairs: the bounds are 5 standard errors (0.7 %) from .73 and .81."""
    rules, rng, sd = Rules(), np.random.default_rng(27), 0.05
    needs = needs_of(judge(sd * _of_unit_variance(8), rules), rules)
    found, _ = refuted(
        np.log(needs["detectable"]) - rules.limit + sd * rng.standard_normal((4_000, 8)), rules
    )
    enough = Rules(pairs=needs["pairs"])
    _, same = refuted(sd * rng.standard_normal((4_000, enough.pairs)) - enough.limit, enough)

    assert needs["sd"] == pytest.approx(sd)
    assert 0.70 <= (found > 0).mean() <= 0.77
    assert 0.77 <= (same > 0).mean() <= 0.85


def _of_unit_variance(n: int) -> FloatArray:
    numbers = np.arange(n) - (n - 1) / 2
    return np.asarray(numbers / numbers.std(ddof=1))


@pytest.mark.costly
def test_eight_pairs_that_vary_much_are_inconclusive_and_say_what_is_needed(
    tmp_path: Path,
) -> None:
    wide = (1.3, 0.8, 1.2, 0.75, 1.25, 0.9, 1.4, 0.7)
    found, _, _ = fight(
        tmp_path, lambda role, run: verdict(40.0 * (wide[run] if role == "candidate" else 1.0))
    )

    assert (found["verdict"], found["exit_code"]) == ("inconclusive", 97)
    words = as_text(found)
    effect = 100 * (found["needs"]["detectable"] - 1)
    assert f"minimum detectable effect: {effect:.2g} %" in words
    assert "8 pairs leave it open whether it is worse by more than 5 %" in words
    assert f"{found['needs']['pairs']} such pairs would be needed" in words
    assert found["needs"]["pairs"] > 50


@pytest.mark.parametrize(
    ("metric", "factor", "words"),
    [
        (
            Metric.P95,
            1.2,
            "the ratio's interval is one of 85 %: its lower end is wrong in at most 5 %, its upper "
            "end is wrong in at most 10 %",
        ),
        (Metric.P95, 1.0, "the ratio's bound: its upper end is wrong in at most 10 %"),
        (Metric.THROUGHPUT, 1.0, "the ratio's bound: its lower end is wrong in at most 10 %"),
    ],
)
def test_both_intervals_of_a_report_say_how_sure_they_are(
    tmp_path: Path, metric: Metric, factor: float, words: str
) -> None:
    def says(role: str, run: int) -> dict[str, Any]:
        made = times_worse(factor)(role, run)
        made["stages"][0]["throughput"]["value"] = 60.0 * (RATIOS[run] if role == "base" else 1.0)
        return made

    found, _, _ = fight(tmp_path, says, metric=metric)

    page = (tmp_path / "duel.md").read_text()
    assert found["decided_at"] == (6 if factor > 1 else 5)
    assert f"- {words}\n" in page
    assert words in as_text(found)
    assert "| candidate / base, 90 % interval |" in page


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.05, "5 %"),
        (0.125, "12.5 %"),
        (0.12, "12 %"),
        (1.5, "150 %"),
        (12.0, "1200 %"),
        (0.0005, "0.05 %"),
    ],
)
def test_what_was_declared_is_told_as_it_was_declared(share: float, words: str) -> None:
    assert plain(share) == words


def test_a_candidate_that_fails_is_not_said_to_lie_near_the_tolerance(tmp_path: Path) -> None:
    late = (0.97, 1.2, 1.0, 0.9, 1.06, 0.96, 0.94, 0.93)  # answered by the last pair
    found, _, _ = fight(
        tmp_path,
        lambda role, run: verdict(
            40.0 * (late[run] if role == "candidate" else 1.0),
            bad=0.5 if role == "candidate" else 0.0,
        ),
    )

    assert (found["verdict"], found["decided_at"], found["exhausted"]) == ("inconclusive", 8, True)
    assert "lie near the tolerance" not in as_text(found)
    assert "would be needed" not in as_text(found)


@pytest.mark.parametrize(
    ("candidate", "factor", "verdict", "criterion"),
    [
        ('target.extensions=["loyalty"]', 1.0, "passed", "scalability.functional_extension"),
        ('target.extensions=["loyalty"]', 1.2, "failed", "scalability.functional_extension"),
        ("target.workers=2", 1.2, "failed", "stability.response_time"),
    ],
)
def test_a_duel_fills_a_row_of_the_scorecard(
    tmp_path: Path, candidate: str, factor: float, verdict: str, criterion: str
) -> None:
    found, _, _ = fight(tmp_path, times_worse(factor), candidate=candidate)
    (row,) = found["scorecard"]

    assert (row["verdict"], row["criterion"]) == (verdict, criterion)
    assert row["owner"] == "the team that runs the CRM"
    assert row["source"] == "assumption: the tolerance of the comparison, 5 %"
    assert row["expected"] == "<= 1.05 times the base"
    assert row["actual"] == found["ratio"]
    assert row["difference"] == pytest.approx(found["ratio"]["value"] - 1.05)
    assert row["difference_percent"] == pytest.approx(100 * row["difference"] / 1.05)
    for page in (as_text(found), as_markdown(found)):
        assert row["indicator"] in page
        assert "<= 1.05 times the base" in html.unescape(page)


def test_a_module_that_came_with_something_else_is_no_answer_about_the_module(
    tmp_path: Path,
) -> None:
    both = 'target.extensions=["loyalty"];target.workers=2'
    found, _, _ = fight(tmp_path, times_worse(1.2), candidate=both)
    (row,) = found["scorecard"]

    assert found["verdict"] == "regressed"
    assert row["criterion"] == "scalability.functional_extension"
    assert row["verdict"] == "inconclusive"
    assert "target.workers changed as well" in row["next"]


def test_what_is_told_fits_a_terminal_and_names_both_sides(tmp_path: Path) -> None:
    found, _, _ = fight(tmp_path, times_worse(1.2))
    words = as_text(found)

    assert "base       as-is\ncandidate  target.workers=2" in words
    table = words.split("\n\n")[1].splitlines()
    assert all(len(line) <= 80 for line in table)
    assert [line[46:].count("o") for line in table[1:]] == [1] * 6
    assert "regressed: p95 of all requests is 1.2" in words
    assert "p95 of GET /a" in words
    assert "p50 of all requests" in words
    assert "worse (Holm" in words


def test_the_report_for_a_pull_request_has_the_pairs_and_the_runs(tmp_path: Path) -> None:
    found, _, _ = fight(tmp_path, times_worse(1.2))
    page = (tmp_path / "duel.md").read_text()

    assert page == as_markdown(found)
    assert page.startswith("# Duel: Steady clicks")
    assert page.count("| base |") == 6
    assert page.count("| candidate |") == 6


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        (["target.workers=2"], ("target.workers=2",)),
        (['target.options.cache="ttl";target.workers=2'], None),
        (['target.options.cache="ttl"', "target.workers=2"], None),
        (["target.options.drop_index=['a;b']"], ("target.options.drop_index=['a;b']",)),
    ],
)
def test_settings_of_a_side_are_separated_by_semicolons_or_repeated(
    texts: list[str], settings: tuple[str, ...] | None
) -> None:
    found = read_spec(texts, "--base").settings

    assert found == (settings or ('target.options.cache="ttl"', "target.workers=2"))


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["load.settle=1"], "--base: found 'load.settle=1'; allowed: a URL"),
        (["target.url='http://127.0.0.1:1'"], "set with --set"),
        (["http://127.0.0.1:1", "target.workers=2"], "one URL by itself"),
        ([""], "found ''"),
        (["target.workers"], "key=value"),
        (["target.options.cache=ttl"], "a text needs quotes"),
    ],
)
def test_a_side_that_cannot_be_meant_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_spec(texts, "--base")

    assert words in caught.value.message
    assert "Nothing was sent" in caught.value.message


def test_hosts_elsewhere_need_the_scenario_and_the_command_line_on_both_sides() -> None:
    there = read_spec(["http://staging.example.test"], "--candidate")

    users = Path(__file__).parents[1] / "support" / "zoo_locustfile.py"
    allowed = options(settings=('target.allow=["staging.example.test"]',), locustfile=users)
    here = read_spec(["http://127.0.0.1:8000"], "--base")

    with pytest.raises(HostNotAllowed):
        prepare("duel", options(locustfile=users), here, there)
    base, candidate = prepare("duel", allowed, here, there)
    assert (base.hosts, candidate.hosts) == ((), ("staging.example.test",))
    assert candidate.scenario.target.app is None


def test_a_value_that_the_crm_does_not_know_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ScenarioError, match=r"options\.cache"):
        sides('target.options.cache="none"')


@pytest.mark.parametrize("base", ["as-is", 'target.database="sqlite"'])
def test_what_a_side_sets_and_a_flag_sets_for_both_is_refused(base: str) -> None:
    """The flag would win, and the duel run other systems than it says."""
    both = read_spec([base], "--base"), read_spec(['target."database"="postgres"'], "--candidate")

    with pytest.raises(ScenarioError) as caught:
        prepare("duel", options(database="postgres"), *both)

    assert "--candidate: target.database: found --database beside it" in caught.value.message
    assert ("--base: target.database: found" in caught.value.message) is (base != "as-is")


@pytest.mark.parametrize(
    ("base", "candidate", "alike"),
    [
        ("as-is", "as-is", False),
        ("as-is", "target.workers=2", False),
        ("as-is", "target.workers=1", True),
        ("target.threads=8", "target.threads=8", True),
        ("target.threads=8", "target.threads=4", False),
    ],
)
def test_sides_that_come_to_the_same_system_are_noted(
    base: str, candidate: str, alike: bool
) -> None:
    specs = read_spec([base], "--base"), read_spec([candidate], "--candidate")
    both = dict(zip(Role, prepare("duel", options(), *specs), strict=True))

    assert (SAME in _plan(both, Question(rules=Rules()), 1)) is alike


def test_that_both_sides_are_the_same_stands_in_the_report(tmp_path: Path) -> None:
    found, _, _ = fight(tmp_path, times_worse(1.0), candidate="target.workers=1")
    other, _, _ = fight(tmp_path / "other", times_worse(1.0))

    assert SAME in as_text(found)
    assert SAME in as_markdown(found)
    assert other["notes"] == []
