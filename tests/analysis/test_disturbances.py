"""What disturbed a run, and which time before and after it is of the same load."""

from __future__ import annotations

import pytest

from analysis.availability import Outage
from analysis.disturbances import (
    Disturbance,
    disturbances_of,
    level_at,
    same_load_before,
    same_load_until,
    without,
)
from analysis.faults import FaultSpan
from scenarios.loading import parse_scenario
from scenarios.schedule import Schedule, plan


def schedule(*users: int, ramp: str = "2s") -> Schedule:
    """Stages of 10 s after 2 s of ramp and 1 s of settling, after 5 s of warm-up."""
    load = {
        "mix": {"sales_rep": 1},
        "warmup": "5s",
        "settle": "1s",
        "required": min(users),
        "stages": [{"users": n, "hold": "10s", "ramp": ramp} for n in users],
    }
    return plan(parse_scenario({"load": load}, name="x.toml", folder=None))


def fault(start_s: float, end_s: float | None) -> FaultSpan:
    return FaultSpan(
        number=0, what="freeze", process="server", planned_s=start_s, start_s=start_s, end_s=end_s
    )


def found(
    *users: int,
    faults: tuple[FaultSpan, ...] = (),
    outages: tuple[Outage, ...] = (),
    required: float | None = None,
    ended_s: float = 1000.0,
) -> list[Disturbance]:
    must = min(users) if required is None else required
    return disturbances_of(schedule(*users), faults, outages, required=must, ended_s=ended_s)


def test_a_fault_is_named_and_stands_under_its_load() -> None:
    (one,) = found(20, faults=(fault(10.0, 12.0),))
    assert (one.kind, one.what, one.level) == ("fault", "freeze of the server", 20)
    assert (one.start_s, one.end_s, one.since_s) == (10.0, 12.0, 10.0)


def test_an_outage_that_nobody_injected_is_a_disturbance_of_its_own() -> None:
    outages = (
        Outage(start_s=9.0, end_s=10.0),  # before the fault: its own
        Outage(start_s=10.5, end_s=12.5),  # the fault
        Outage(start_s=12.9, end_s=14.0),  # its end
        Outage(start_s=16.0, end_s=18.0, open=True),  # its own again
    )
    kinds = [
        (each.kind, each.start_s, each.end_s)
        for each in found(20, faults=(fault(10.2, 12.0),), outages=outages)
    ]
    assert kinds == [("outage", 9.0, 10.0), ("fault", 10.2, 12.0), ("outage", 16.0, None)]


def test_a_load_that_falls_back_is_a_spike_from_where_it_left_to_where_it_is_back() -> None:
    (spike,) = found(20, 200, 20)
    assert (spike.kind, spike.what, spike.level) == ("spike", "spike to 200 users", 20)
    # warm-up 5, then stages of 13 s: ramp 2, settle 1, hold 10
    assert (spike.start_s, spike.end_s, spike.since_s) == (18.0, 33.0, 33.0)


@pytest.mark.parametrize(
    ("users", "spikes"),
    [
        ((10, 20, 50), []),
        ((10, 50, 20), []),  # 20 was never before: nothing to come back to
        ((50, 20), []),
        ((10, 50, 200, 10), ["spike to 200 users"]),
        ((10, 200, 50, 10), ["spike to 200 users"]),
        ((10, 50, 10, 80, 10), ["spike to 50 users", "spike to 80 users"]),
        ((10, 50, 200, 50, 10), ["spike to 200 users", "spike to 200 users"]),
    ],
)
def test_which_loads_have_a_spike(users: tuple[int, ...], spikes: list[str]) -> None:
    assert sorted(each.what for each in found(*users)) == sorted(spikes)


def test_a_spike_that_the_run_did_not_see_the_end_of_is_none() -> None:
    assert found(20, 200, 20, ended_s=32.0) == []


def test_an_outage_within_a_spike_is_explained_by_it() -> None:
    assert [e.kind for e in found(20, 200, 20, outages=(Outage(start_s=25.0, end_s=30.0),))] == [
        "spike"
    ]


@pytest.mark.parametrize(
    ("required", "start_s", "kinds"),
    [
        (50, 24.0, ["spike", "outage"]),  # in the hold of 20
        (50, 36.0, ["spike", "outage"]),  # in that of 50
        (20, 24.0, ["spike", "outage"]),
        (20, 36.0, ["spike"]),  # 50 need not be carried
        (20, 30.5, ["spike"]),  # as the load rises to it
        (20, 45.8, ["spike"]),  # just fallen back
        (20, 48.0, ["spike", "outage"]),
    ],
)
def test_a_spike_explains_no_outage_under_a_load_that_must_be_carried(
    required: float, start_s: float, kinds: list[str]
) -> None:
    outage = Outage(start_s=start_s, end_s=start_s + 3)
    disturbed = found(10, 20, 50, 10, outages=(outage,), required=required)
    assert [each.kind for each in disturbed] == kinds
    assert all(each.start_s == start_s for each in disturbed if each.kind == "outage")


def test_ramps_and_the_warmup_have_no_constant_load() -> None:
    steps = schedule(20, 50)
    assert level_at(steps, 4.0) is None
    assert level_at(steps, 6.0) == 20  # a ramp from 20 to 20
    assert level_at(steps, 19.0) is None
    assert level_at(steps, 20.5) == 50
    assert level_at(steps, 100.0) is None


def test_the_same_load_before_is_that_of_holds() -> None:
    steps = schedule(20, 200, 20)
    assert same_load_before(steps, 20, 12.0) == [(8.0, 12.0)]
    assert same_load_before(steps, 20, 36.5) == [(8.0, 18.0), (34.0, 36.5)]
    assert same_load_before(steps, 20, 6.0) == []


def test_the_load_stays_the_same_until_another_level_or_the_end() -> None:
    steps = schedule(20, 20, 50)
    assert same_load_until(steps, 9.0, ended_s=1000.0) == 31.0
    assert same_load_until(steps, 9.0, ended_s=20.0) == 20.0
    assert same_load_until(steps, 35.0, ended_s=1000.0) == 44.0


def test_spans_are_taken_out_of_spans() -> None:
    assert without([(0.0, 10.0)], [(2.0, 3.0), (5.0, 6.0)]) == [(0.0, 2.0), (3.0, 5.0), (6.0, 10.0)]
    assert without([(0.0, 1.0), (4.0, 5.0)], [(0.5, 4.5)]) == [(0.0, 0.5), (4.5, 5.0)]
    assert without([(1.0, 2.0)], [(0.0, 3.0)]) == []
    assert without([(1.0, 2.0)], [(2.0, 3.0), (0.0, 1.0)]) == [(1.0, 2.0)]
