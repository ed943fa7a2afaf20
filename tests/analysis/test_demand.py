from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analysis.demand import MIN_LOOKS, Demand, cpu_of, demand_at, utilisation_law
from analysis.estimate import Estimate
from analysis.report.scaling import demand_words, idle_words


def looks(
    cores: Sequence[float | None], role: str = "target", pid: int = 1
) -> list[dict[str, Any]]:
    """A line a second, the first of which belongs to nothing before it."""
    return [
        {"t_s": float(t), "role": role, "pid": pid, "cpu": used} for t, used in enumerate(cores)
    ]


def answers(per_s: float, seconds: int) -> list[float]:
    return [i / per_s + 1e-6 for i in range(int(per_s * seconds))]


def test_cpu_over_answers_is_the_demand() -> None:
    cpu = cpu_of(looks([0.3] * 13))
    found = demand_at(10, cpu, answers(60, 12), 0.0, 12.0)
    assert found.total.value == pytest.approx(5.0)  # 0.3 cores for 60 a second: 5 ms
    assert found.total.low == pytest.approx(5.0)
    assert found.cores_used == pytest.approx(0.3)
    assert found.total.unit == "ms"


def test_processes_of_a_role_are_added_and_the_database_counts() -> None:
    lines = looks([0.2] * 13) + looks([0.1] * 13, pid=2) + looks([0.3] * 13, "database", 3)
    found = demand_at(10, cpu_of(lines), answers(60, 12), 0.0, 12.0)
    assert found.total.value == pytest.approx(10.0)
    assert found.server.value == pytest.approx(5.0)


def test_a_look_that_reaches_out_of_the_hold_does_not_count() -> None:
    cpu = cpu_of(looks([0.9] * 5 + [0.3] * 11))
    # Seconds 4 to 15: the look at 4 tells of 3 to 4.
    found = demand_at(10, cpu, answers(60, 20), 4.0, 15.5)
    assert found.total.value == pytest.approx(5.0)


def test_a_process_without_a_number_yet_makes_no_demand() -> None:
    assert len(cpu_of(looks([None, 0.3, 0.3]))) == 2
    assert cpu_of([]).empty
    assert cpu_of(looks([0.1], "generator")).empty


@pytest.mark.simulation
def test_the_interval_holds_a_known_demand() -> None:
    # 300 holds of 20 s: nominal 95 %; below 88 % comes with less than 1e-4.
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        count = rng.poisson(50, size=20)
        done = np.concatenate([t + rng.random(n) for t, n in enumerate(count)])
        spent = [rng.exponential(0.004, n).sum() for n in count]
        found = demand_at(1, cpu_of(looks([0.0, *spent])), done, 0.0, 20.0)
        assert found.total.low is not None
        assert found.total.high is not None
        held += found.total.low <= 4.0 <= found.total.high
    assert held >= 264


def test_too_few_looks_and_no_answers_say_so() -> None:
    cpu = cpu_of(looks([0.3] * MIN_LOOKS))
    assert "looks at the CPU" in str(demand_at(1, cpu, [1.0], 0, 60).total.why)
    assert "no answer" in str(demand_at(1, cpu_of(looks([0.3] * 9)), [], 0, 60).total.why)
    assert "nobody watched" in str(demand_at(1, cpu_of([]), [1.0], 0, 60).total.why)


def demand(level: float, used: float, ms: float, *, server: float | None = None) -> Demand:
    def around(value: float) -> Estimate:
        return Estimate(value=value, low=value * 0.98, high=value * 1.02, n=100, unit="ms")

    return Demand(
        level=level,
        cores_used=used,
        total=around(ms),
        server=around(ms if server is None else server),
    )


def test_cores_over_demand_is_the_throughput_that_they_allow() -> None:
    found = utilisation_law([demand(10, 0.5, 2.0), demand(20, 0.9, 2.0)], cores=1, workers=None)
    assert found["xmax"]["value"] == pytest.approx(500)
    assert found["xmax"]["low"] == pytest.approx(500 / 1.02)
    assert found["change"] == {"direction": "constant", "first": 2.0, "last": 2.0}
    assert found["utilisation"]["value"] == pytest.approx(0.9)
    said = demand_words(found)
    assert "2.00 ms" in said
    assert "at every load: its core allows at most 500/s" in said
    assert "90.0 % of it was used" in said


def test_a_worker_uses_one_core_at_most() -> None:
    levels = [demand(10, 1.0, 4.0, server=2.0)]
    one = utilisation_law(levels, cores=4, workers=1)
    assert one["xmax"]["value"] == pytest.approx(500)
    assert "its server process allows at most 500/s" in demand_words(one)
    assert "at the highest load 25.0 % of its 4 cores were used" in demand_words(one)
    two = utilisation_law([demand(10, 1.0, 2.0)], cores=4, workers=2)
    assert "its 2 server processes allow at most 1,000/s" in demand_words(two)
    four = utilisation_law(levels, cores=4, workers=4)
    assert four["xmax"]["value"] == pytest.approx(1000)
    assert "its 4 cores allow at most 1,000/s" in demand_words(four)
    assert "25.0 % of them were used" in demand_words(four)


@pytest.mark.parametrize(
    ("last", "direction", "words"),
    [
        (3.0, "rises", "costs more CPU at higher load: from 2.00 ms to 3.00 ms"),
        (1.5, "falls", "costs less CPU at higher load: from 2.00 ms to 1.50 ms"),
        (2.05, "constant", "at every load"),
    ],
)
def test_a_demand_that_changes_is_said(last: float, direction: str, words: str) -> None:
    found = utilisation_law([demand(10, 0.5, 2.0), demand(20, 0.9, last)], cores=1, workers=1)
    assert found["change"]["direction"] == direction
    assert words in demand_words(found)


def test_an_idle_servers_own_cost_is_no_change_of_demand() -> None:
    levels = [demand(1, 0.05, 20.0), demand(10, 0.5, 2.0), demand(20, 0.9, 2.0)]
    assert utilisation_law(levels, cores=1, workers=1)["change"]["direction"] == "constant"


def test_shared_cores_allow_no_throughput_to_be_named() -> None:
    found = utilisation_law([demand(10, 0.5, 2.0)], cores=None, workers=1)
    assert "shared its cores" in found["xmax"]["why"]
    assert (
        demand_words(found) == "A request costs 2.00 ms (1.96 to 2.04 ms) of CPU (utilisation law)."
    )


def test_nobody_who_watched_is_nothing_to_say() -> None:
    found = utilisation_law([demand_at(1, cpu_of([]), [], 0, 60)], cores=1, workers=1)
    assert found["xmax"]["why"] == "nobody watched the CPU of the target"
    assert demand_words(found) == ""
    nothing = utilisation_law([], cores=1, workers=1)
    assert nothing["xmax"]["why"] == "no level is valid"
    assert demand_words(nothing) == ""


def test_an_idle_target_allows_no_throughput_to_be_named() -> None:
    found = utilisation_law([demand(1, 0.05, 20.0)], cores=1, workers=1)
    assert found["xmax"]["why"] == "at no level the target used 20% of its cores"


@pytest.mark.parametrize(("saturation", "said"), [(450.0, False), (100.0, True)])
def test_a_limit_that_the_cpu_does_not_explain_is_said(saturation: float, said: bool) -> None:
    found = utilisation_law([demand(10, 0.5, 2.0)], cores=1, workers=1)
    limit = Estimate(value=saturation, low=saturation * 0.9, high=saturation * 1.1, unit="1/s")
    words = idle_words({"demand": found, "saturation": limit.as_dict()})
    assert ("below what the target's CPU allows" in words) == said
    assert idle_words({"demand": found, "saturation": {"value": None}}) == ""
