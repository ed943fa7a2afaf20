"""How often the drift test cries wolf, and how often it sees a drift that is there.

Autoregressive series with and without a drift of two standard deviations over the run;
the same under the noise of short bins; latency and throughput of M/M/1 queues in bins,
which drift never, and their halves. Run by ``make accuracy``; ``--quick`` takes a tenth
of the seeds. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.series import binned_percentiles
from analysis.steady import steady
from analysis.trend import MIN_BINS, trend

SEEDS = 2_000
FALSE_ALARMS, POWER = 0.08, 0.70
PHIS, LENGTHS = (0.0, 0.3, 0.6, 0.9), (120, 360, 600)
MUST_SEE = {(0.0, 120), (0.3, 120), (0.6, 120), (0.9, 600)}

Floats = npt.NDArray[np.float64]
Case = TypeVar("Case")
Row = TypeVar("Row")


def certain(found: Estimate) -> bool:
    """Whether the interval of a slope leaves 0 out."""
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def shifted(found: Estimate, by: float) -> Estimate:
    """The same estimate of a slope that is larger by so much."""
    if found.value is None or found.low is None or found.high is None:
        return found
    ends = {name: getattr(found, name) + by for name in ("value", "low", "high")}
    return replace(found, **ends)


def autoregressive(rng: np.random.Generator, n: int, phi: float, noise: float) -> Floats:
    """A stationary series of variance 1, `noise` of it white."""
    series = lfilter([1], [1, -phi], rng.standard_normal(n + 300) * np.sqrt(1 - phi**2))[300:]
    series = series + noise * rng.standard_normal(n)
    return np.asarray(series / np.sqrt(1 + noise**2))


def drifting(seeds: int, case: tuple[float, int, float]) -> tuple[float, float, float, float]:
    """False alarms, refusals, power, and the mean width of an interval, in drifts over the run."""
    phi, n, noise = case
    rng = np.random.default_rng([int(100 * phi), n, int(10 * noise), 5])
    at = np.linspace(0, 1, n)
    alarms = refused = seen = 0
    widths: list[float] = []
    for _ in range(seeds):
        series = autoregressive(rng, n, phi, noise)
        found = trend(at, series)
        alarms += certain(found)
        refused += found.low is None
        if found.low is not None and found.high is not None:
            widths.append(found.high - found.low)
        # slope and residuals follow a line that is added: exactly the trend of series + 2 at
        seen += certain(shifted(found, 2.0))
    width = float(np.mean(widths)) if widths else float("nan")
    return alarms / seeds, refused / seeds, seen / seeds, width


def of_the_answered(row: tuple[float, float, float, float]) -> str:
    """False alarms among the series that are not refused; few of these are left, and unusual."""
    alarms, refused, *_ = row
    return "-" if refused == 1 else f"{alarms / (1 - refused):.1%}"


def fifo(
    rng: np.random.Generator, rho: float, rate: float, until_s: float
) -> tuple[Floats, Floats]:
    """Arrivals and response times of an M/M/1 queue that begins as it goes on."""
    n = int(rate * until_s + 6 * np.sqrt(rate * until_s)) + 50
    gaps, service = rng.exponential(1 / rate, n), rng.exponential(rho / rate, n)
    first = rng.exponential(rho / rate / (1 - rho)) if rng.random() < rho else 0.0
    work = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    waiting = work - np.minimum(np.minimum.accumulate(work), -first)
    at = np.cumsum(gaps)
    inside = at < until_s
    return at[inside], (waiting + service)[inside]


QUEUES = tuple(
    (rho, rate, hold_s, bins)
    for rho in (0.5, 0.8)
    for rate, hold_s, bins in ((80, 60, 60), (80, 300, 300), (80, 900, 90), (16, 600, 60))
)


def queueing(seeds: int, case: tuple[float, int, int, int]) -> dict[str, float]:
    """Share of the runs in which something is said to move in a queue where nothing does."""
    rho, rate, hold_s, bins = case
    rng = np.random.default_rng([int(10 * rho), rate, hold_s, bins])
    said = dict.fromkeys(("p50", "p95", "throughput", "halves", "unsteady", "refused"), 0)
    width_s = hold_s / bins
    for _ in range(seeds):
        at_s, taken_s = fifo(rng, rho, rate, hold_s)
        where = np.minimum((at_s / width_s).astype(np.int64), bins - 1)
        percentiles = binned_percentiles(where, taken_s * 1e3, bins, (0.5, 0.95))
        done = np.histogram(at_s + taken_s, bins, (0, hold_s))[0] / width_s
        series = {"p50": percentiles[0.5], "p95": percentiles[0.95], "throughput": done}
        for name, values in series.items():
            there = np.isfinite(values)
            found = trend(np.arange(bins)[there], values[there], least_bins=MIN_BINS)
            said[name] += certain(found)
            said["refused"] += name == "p95" and found.low is None
        halves = steady(percentiles[0.5], done, width_s=width_s)
        said["halves"] += any(certain(each) for each in (halves.latency, halves.throughput))
        said["unsteady"] += halves.verdict is Verdict.FAILED
    return {name: count / seeds for name, count in said.items()}


def table(
    name: str,
    work: Callable[[Case], Row],
    cases: tuple[Case, ...],
    line: Callable[[Case, Row], str],
) -> list[Row]:
    """Work through the cases in two processes, and print each as it is done."""
    sys.stdout.write(f"\n{name}\n")
    rows = []
    with get_context("fork").Pool(2) as pool:
        for case, row in zip(cases, pool.imap(work, cases), strict=True):
            sys.stdout.write(line(case, row) + "\n")
            sys.stdout.flush()
            rows.append(row)
    return rows


def main() -> int:
    seeds = SEEDS // 10 if "--quick" in sys.argv else SEEDS
    missed = 0
    for noise, told in ((0.0, "as it is"), (1.0, "under as much white noise (no bar)")):
        few = (*LENGTHS, MIN_BINS, MIN_BINS - 1)
        cases = tuple((phi, n, noise) for n in few for phi in PHIS)
        rows = table(
            f"{seeds if noise == 0 else seeds // 2:,} autoregressive series {told}\n"
            "  phi    n   false alarms   of the answered   not enough data   power at 2 sd"
            "   width, sd",
            partial(drifting, seeds if noise == 0 else seeds // 2),
            cases,
            lambda case, row: (
                f"{case[0]:5.1f} {case[1]:4}   {row[0]:12.1%}   {of_the_answered(row):>15}"
                f"   {row[1]:15.1%}   {row[2]:13.1%}   {row[3]:9.2f}"
            ),
        )
        for (phi, n, _), (alarms, refused, power, _) in zip(cases, rows, strict=True):
            if n < MIN_BINS:
                missed += refused < 1
            if noise == 0 and n in LENGTHS:
                missed += alarms > FALSE_ALARMS
                missed += (phi, n) in MUST_SEE and power < POWER
    names = ("p50", "p95", "throughput", "halves", "unsteady", "refused")
    rows_of_queues = table(
        f"{seeds // 5:,} runs of M/M/1 queues: said to move\n"
        "utilisation  rate/s  hold, s  bins      p50      p95  throughput   halves  unsteady"
        "  p95: not enough",
        partial(queueing, seeds // 5),
        QUEUES,
        lambda case, row: (
            f"{case[0]:11.1f} {case[1]:7} {case[2]:8} {case[3]:5} "
            + " ".join(f"{row[name]:8.1%}" for name in names)
        ),
    )
    missed += sum(
        row[name] > FALSE_ALARMS for row in rows_of_queues for name in names if name != "refused"
    )
    sys.stdout.write(f"\nbars missed: {missed}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
