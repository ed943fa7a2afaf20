"""Slow requests of a mix that come together by chance, and those that do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from analysis.disturbances import Disturbance
from analysis.pulse import Floats, Pulse, Requests, pulse_of
from analysis.recovery import recovery_of
from analysis.slow_requests import more_than_before

RATE, LENGTH_S, FAULT_S = 80.0, 60.0, 30.0
LOGIN_MS, LOGINS = 200.0, 0.02


def mixed(rng: np.random.Generator, slow: Floats | None = None) -> Requests:
    """Requests of which one in fifty is a login, and of a second perhaps more of them."""
    at_s = np.sort(rng.uniform(0, LENGTH_S, round(RATE * LENGTH_S)))
    share = np.full(len(at_s), LOGINS) if slow is None else slow[at_s.astype(int)]
    latency_ms = np.where(rng.random(len(at_s)) < share, LOGIN_MS, rng.exponential(3.0, len(at_s)))
    everyone = np.ones(len(at_s), dtype=np.bool_)
    return Requests(
        intended_s=at_s,
        end_s=at_s + latency_ms / 1e3,
        latency_ms=latency_ms,
        good=everyone,
        bad=~everyone,
        censored=~everyone,
    )


def halves(requests: Requests) -> tuple[Pulse, Pulse]:
    whole = pulse_of(requests, origin_s=FAULT_S, width_s=0.5, start_s=0, stop_s=LENGTH_S)
    return (
        whole.only(whole.within(0, FAULT_S)),
        whole.only(whole.within(FAULT_S, LENGTH_S)),
    )


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_more_slow_requests_than_the_mix_explains_are_found(share: float) -> None:
    slow = np.where(np.arange(LENGTH_S) < FAULT_S, LOGINS, share)
    requests = mixed(np.random.default_rng(1), slow)
    before, after = halves(requests)

    assert more_than_before(requests, 100.0, before=before, after=after, alarm=1e-4).mean() > 0.8


def test_a_healthy_window_is_found_as_seldom_as_was_said() -> None:
    alarm, found, windows = 0.01, 0, 0
    for seed in range(10):
        requests = mixed(np.random.default_rng(seed))
        before, after = halves(requests)
        flags = more_than_before(requests, 100.0, before=before, after=after, alarm=alarm)
        found, windows = found + int(flags.sum()), windows + len(flags)

    assert found <= binom.isf(1e-4, windows, alarm)


def test_nothing_before_and_nothing_in_a_window_is_no_chance_at_all() -> None:
    requests = mixed(np.random.default_rng(1))
    before, after = halves(requests)
    beyond = more_than_before(requests, 1e6, before=before, after=after, alarm=0.05)
    nobody = more_than_before(
        requests, 100.0, before=before.only(before.start_s < 0), after=after, alarm=0.05
    )

    assert not beyond.any()
    assert not nobody.any()


def test_two_logins_in_a_window_do_not_put_a_recovery_off() -> None:
    """Before there was never more than one, so that the band lies below a login."""
    rng = np.random.default_rng(1)
    at_s = np.sort(rng.uniform(0, LENGTH_S, round(RATE * LENGTH_S)))
    own_ms = rng.exponential(3.0, len(at_s))
    logins_s = [*np.arange(0.25, 30, 0.75), 32.6, 32.7]
    own_ms[np.searchsorted(at_s, logins_s)] = LOGIN_MS
    begin_s = np.where((at_s >= 30) & (at_s < 32), 32.0, at_s)
    everyone = np.ones(len(at_s), dtype=np.bool_)
    requests = Requests(
        intended_s=at_s,
        end_s=begin_s + own_ms / 1e3,
        latency_ms=(begin_s - at_s) * 1e3 + own_ms,
        good=everyone,
        bad=~everyone,
        censored=~everyone,
    )
    fault = Disturbance(kind="fault", what="fault", start_s=30.0, end_s=32.0, level=1.0)
    found = recovery_of(fault, requests, calm=[(1.0, 30.0)], until_s=LENGTH_S)

    assert found.recovered_s == 32.0
