"""Curves of throughput with known truth: do intervals hold it, and are peaks invented?

Laws and closed queues, measured with 1 % and 5 % of noise at 6, 8 and 12 levels, each once
(a table), with its interval (a run) or three times; and what other tools print for published
tables. Run by ``make accuracy``.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.claims import Claims, claim
from analysis.estimate import Estimate
from analysis.intervals import student_t
from analysis.law import Law
from analysis.levels import Level, Measured
from analysis.levels import measured as levels_of
from analysis.scalability import scalability
from analysis.usl import fit_usl
from tests.support.accuracy import Bars, is_quick, over, say
from tests.support.published_usl import printed
from tests.support.queues import closed_mmc

FloatArray = npt.NDArray[np.float64]

LAWS = {
    "peak inside": (Law(sigma=0.03, kappa=1e-4, lambda_=90.0), 200.0),
    "peak, steep": (Law(sigma=0.3, kappa=2e-3, lambda_=300.0), 64.0),
    "no peak": (Law(sigma=0.05, kappa=0.0, lambda_=20.0), 64.0),
    "peak beyond": (Law(sigma=0.02, kappa=1e-5, lambda_=50.0), 128.0),
}
LEVELS = (6, 8, 12)
NOISES = (0.01, 0.05)
PEAK_NOISES = (0.01, 0.03, 0.05)
OFTEN = 0.2
"""Share of tables that must show a peak for its case to have a bar of its own."""

LEVELLED, HELD = "place with a level", ("place held", "height held")
SEEN = (LEVELLED, "height with a level", *HELD)

Z95 = 1.959964


@dataclass(frozen=True)
class Case:
    """A curve, measured so many times."""

    name: str
    load: tuple[float, ...]
    truth: tuple[float, ...]
    noise: float
    proportional: bool
    known: bool
    runs: int
    law: Law | None


def measured(case: Case, rng: np.random.Generator) -> list[Level]:
    """Levels with noise; a level knows its own where it is known."""
    truth = np.array(case.truth)
    spread = case.noise * (truth if case.proportional else np.full(len(truth), truth.max() * 0.6))
    seen = np.abs(truth + spread * rng.standard_normal(len(truth)))
    half = Z95 * spread
    return [
        Level(
            level=n,
            in_flight=Estimate(value=n, low=n, high=n),
            throughput=Estimate(
                value=float(x),
                low=float(max(0.0, x - h)) if case.known else None,
                high=float(x + h) if case.known else None,
                why="measured once",
            ),
        )
        for n, x, h in zip(case.load, seen, half, strict=True)
    ]


def look(case: Case) -> dict[str, float]:
    """Shares of a case's runs."""
    rng = np.random.default_rng([zlib.crc32(repr(case).encode())])
    counts: dict[str, int] = {}
    for _ in range(case.runs):
        for what, so in _seen(case, levels_of(measured(case, rng), across_runs=False)):
            counts[what] = counts.get(what, 0) + so
    return {what: count / case.runs for what, count in counts.items()}


def _seen(case: Case, seen: Measured) -> Iterable[tuple[str, bool]]:
    fit = fit_usl(seen.load, seen.throughput)
    claims = claim(seen.points, fit, single=not case.known)
    yield "peak", claims.peak.value is not None
    yield "saturates", claims.saturation.value is not None
    law = case.law
    if law is None:
        return
    t = student_t(0.95, fit.residual_df)
    for what, found, truth in (
        ("sigma", fit.sigma, law.sigma),
        ("kappa", fit.kappa, law.kappa),
        ("lambda", fit.lambda_, law.lambda_),
    ):
        yield what, abs(found.value - truth) <= t * found.error
    yield "textbook", fit.kappa.low <= law.kappa <= fit.kappa.high
    yield from _peak_seen(claims, law)


def _peak_seen(claims: Claims, law: Law) -> Iterable[tuple[str, bool]]:
    """Whether a peak's intervals have a level, and then hold the truth."""
    for what, estimate, truth in (
        ("place", claims.peak, law.peak_load),
        ("height", claims.peak_throughput, law.peak_throughput),
    ):
        if truth is not None and estimate.level is not None:
            yield f"{what} with a level", True
            yield f"{what} held", _holds(estimate, truth)


def _holds(estimate: Estimate, truth: float) -> bool:
    low, high = estimate.low, estimate.high
    return (low is None or low <= truth) and (high is None or truth <= high)


def coverage(bars: Bars, runs: int) -> None:
    say("share of intervals (nominal 95 %) that hold the truth; 'textbook' is kappa's own")
    say("law           levels  noise        sigma   kappa  lambda  textbook")
    cases = [
        Case(name, *_on(law, top, n), noise, proportional, known=False, runs=runs, law=law)
        for name, (law, top) in LAWS.items()
        for n in LEVELS
        for noise in NOISES
        for proportional in (True, False)
    ]
    for case, found in zip(cases, over(look, cases), strict=True):
        kind = "relative" if case.proportional else "equal"
        say(
            f"{case.name:12}  {len(case.load):6}  {case.noise:3.0%} {kind:8}  "
            f"{found['sigma']:6.1%}  {found['kappa']:6.1%}  "
            f"{found['lambda']:6.1%}  {found['textbook']:8.1%}"
        )
        where = f"{case.name}, {len(case.load)} levels, {case.noise:.0%} {kind}"
        for what in ("sigma", "kappa", "lambda"):
            bars.hold(f"{what}: {where}", found[what], runs, least=0.85)
        if case.law is not None and (case.law.peak_load or np.inf) > case.load[-1]:
            bars.hold(f"false peak: {where}", found["peak"], runs, most=0.05)


def _on(law: Law, top: float, n: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    load = np.geomspace(1, top, n)
    return tuple(load.tolist()), tuple(law.throughput(load).tolist())


def closed_queues() -> list[tuple[str, FloatArray, FloatArray, FloatArray]]:
    """Closed queues with think time: name, users, requests in flight, throughput."""
    found = []
    for servers in (1, 2, 4, 8):
        for think_s in (0.1, 1.0, 5.0):
            knee = servers * (think_s + 0.01) / 0.01
            for n in LEVELS:
                users = np.unique(np.geomspace(max(1.0, knee / 20), 3 * knee, n).round())
                pairs = [closed_mmc(int(each), think_s, 0.01, servers) for each in users]
                x, in_flight = np.array(pairs).T
                name = f"c {servers}, Z {think_s:g} s, {len(users)} levels"
                found.append((name, users, in_flight, x))
    return found


def exact_queues(bars: Bars) -> None:
    queues = closed_queues()
    peaks = bent = fitted = 0
    for _, users, in_flight, x in queues:
        for load in (users, in_flight):
            for known in (False, True):
                levels = measured(
                    Case("", tuple(load), tuple(x), 1e-9, True, known, 1, None),
                    np.random.default_rng(1),
                )
                found = scalability(levels, single=not known)
                fitted += found.refused is None
                peaks += found.peak.value is not None
            bent += (fit_usl(load, x).peak_load or np.inf) < 2 * load.max()
    total = 4 * len(queues)
    say(
        f"exact M/M/c//N with think time, over users and in flight: {total} curves, {fitted} "
        f"fitted, peaks claimed: {peaks} (the bare law has one within twice the highest "
        f"load in {bent} of {2 * len(queues)})"
    )
    bars.hold("a peak of an exact closed queue", peaks / total, total, most=0.0)


def noisy_queues(bars: Bars, runs: int) -> None:
    say("closed queues with noise: share of false peaks, and of those said to saturate")
    say("over       noise  known   false peaks  saturates")
    for over_what in ("users", "in flight"):
        for noise in NOISES:
            for known in (False, True):
                cases = [
                    Case(
                        name,
                        tuple(users if over_what == "users" else in_flight),
                        tuple(x),
                        noise,
                        True,
                        known,
                        runs,
                        None,
                    )
                    for name, users, in_flight, x in closed_queues()
                ]
                found = over(look, cases)
                peaks = float(np.mean([each["peak"] for each in found]))
                flat = float(np.mean([each["saturates"] for each in found]))
                say(
                    f"{over_what:9}  {noise:4.0%}  {'yes' if known else 'no':>5}   {peaks:11.2%}  "
                    f"{flat:9.1%}"
                )
                bars.hold(
                    f"false peak over {over_what}, {noise:.0%}", peaks, runs * len(cases), most=0.05
                )


@dataclass(frozen=True)
class PeakCase:
    """A curve with a peak, its levels measured so many times."""

    case: Case
    times: int

    @property
    def how(self) -> str:
        """How its levels are measured."""
        return "in a run" if self.case.known else "once" if self.times == 1 else "3 times"


def look_for_peak(job: PeakCase) -> dict[str, int]:
    """Count tables, those that show the peak, and the intervals that hold it.

    Until as many as the case's runs have an interval with a level, or so many tables were
    made that fewer than `OFTEN` of them can.
    """
    case, law = job.case, job.case.law
    assert law is not None
    rng = np.random.default_rng([zlib.crc32(repr(job).encode())])
    counts = dict.fromkeys((*SEEN, "tables", "peak"), 0)
    while counts[LEVELLED] < case.runs and counts["tables"] * OFTEN < case.runs:
        rows = [level for _ in range(job.times) for level in measured(case, rng)]
        found = scalability(rows, single=not case.known, across_runs=job.times > 1)
        counts["tables"] += 1
        counts["peak"] += found.peak.value is not None
        for what, so in _peak_seen(found.claims, law):
            counts[what] += so
    return counts


def peak_cases(runs: int) -> list[PeakCase]:
    """Laws whose peak lies within the loads, measured in every way."""
    return [
        PeakCase(Case(name, *_on(law, top, n), noise, relative, known, runs, law), times)
        for name, (law, top) in LAWS.items()
        if (law.peak_load or np.inf) < top
        for known, times in ((False, 1), (True, 1), (False, 3))
        for n in LEVELS
        for noise in PEAK_NOISES
        for relative in (True, False)
    ]


def peak_held(job: PeakCase, found: dict[str, int], bars: Bars) -> bool:
    """Print a case; hold it against its bar, unless too few tables show its peak."""
    case, tables, levelled = job.case, found["tables"], found[LEVELLED]
    kind = "relative" if case.proportional else "equal"
    held = [found[what] / levelled if levelled else np.nan for what in HELD]
    say(
        f"{case.name:12}  {len(case.load):6}  {case.noise:3.0%} {kind:8}  {job.how:8}  "
        f"{found['peak'] / tables:6.1%}  {levelled:3} of {tables:3}  "
        + "  ".join(f"{share:6.1%}" if levelled else "     -" for share in held)
    )
    where = f"{case.name}, {len(case.load)} levels, {case.noise:.0%} {kind}, {job.how}"
    enough = levelled >= case.runs
    for what, share in zip(HELD, held, strict=True):
        if enough:
            bars.hold(f"{what}: {where}", share, levelled, least=0.90)
    return enough


def peaks(bars: Bars, runs: int) -> None:
    """Hold the intervals of peaks that are there against their level.

    Peaks that few tables show are held together: a share of a dozen tables says nothing.
    """
    say("peaks that are there: tables that show them, and of those with an interval of 95 % the")
    say("share whose interval holds the truth")
    say("law           levels  noise        measured   shown   with 95 %   place  height")
    jobs, seldom = peak_cases(runs), dict.fromkeys(SEEN, 0)
    for job, found in zip(jobs, over(look_for_peak, jobs), strict=True):
        if not peak_held(job, found, bars):
            seldom = {what: count + found[what] for what, count in seldom.items()}
    few = max(seldom[LEVELLED], 1)
    for what in HELD:
        share = seldom[what] / few
        say(f"peaks that fewer than {OFTEN:.0%} show, together: {what} in {share:.1%} of {few}")
        bars.hold(f"{what} of peaks that are seldom shown", share, few, least=0.90)


def published(bars: Bars) -> None:
    """Lay what other tools print beside what we compute."""
    say("published numbers, and ours rounded like them; = where they are the same, else the digits")
    say("on which we agree (decision 31)")
    say("table      tool                number                           published         ours")
    for name in ("specsdm91", "raytracer"):
        for each in printed(name):
            same = "=" if each.rounded == each.text else each.common
            say(
                f"{name:9}  {each.tool:18}  {each.what:26}  {each.text:>14}  {each.rounded:>14}  "
                f"{same}"
            )
            bars.hold(f"{name}, {each.tool}, {each.what}", float(each.agrees), 1, least=1.0)


def look_repeated(case: Case) -> dict[str, float]:
    """Shares of runs in which each level is measured three times."""
    rng = np.random.default_rng([zlib.crc32(repr(case).encode())])
    law = case.law
    assert law is not None
    held = np.zeros(3)
    otherwise = 0
    for _ in range(case.runs):
        rows = [level for _ in range(3) for level in measured(case, rng)]
        found = scalability(rows, across_runs=True)
        estimates = (found.sigma, found.kappa, found.lambda_)
        for i, truth in enumerate((law.sigma, law.kappa, law.lambda_)):
            low, high = estimates[i].low, estimates[i].high
            held[i] += low is not None and high is not None and low <= truth <= high
        otherwise += found.check is not None and found.check.bends_otherwise
    sigma, kappa, lambda_ = held / case.runs
    return {
        "sigma": sigma,
        "kappa": kappa,
        "lambda": lambda_,
        "otherwise": otherwise / case.runs,
    }


def repetitions(bars: Bars, runs: int) -> None:
    say("each of 7 levels three times: intervals that hold the truth, and false misfits")
    say("law           noise        sigma   kappa  lambda  said to bend otherwise")
    cases = [
        Case(name, *_on(law, top, 7), noise, proportional, known=False, runs=runs, law=law)
        for name, (law, top) in LAWS.items()
        for noise in NOISES
        for proportional in (True, False)
    ]
    for case, found in zip(cases, over(look_repeated, cases), strict=True):
        kind = "relative" if case.proportional else "equal"
        say(
            f"{case.name:12}  {case.noise:3.0%} {kind:8}  {found['sigma']:6.1%}  "
            f"{found['kappa']:6.1%}  {found['lambda']:6.1%}  {found['otherwise']:6.1%}"
        )
        where = f"three times, {case.name}, {case.noise:.0%} {kind}"
        for what in ("sigma", "kappa", "lambda"):
            bars.hold(f"{what}: {where}", found[what], runs, least=0.85)
        bars.hold(f"false misfit: {where}", found["otherwise"], runs, most=0.12)


def main() -> int:
    quick = is_quick()
    bars = Bars(quick=quick)
    published(bars)
    exact_queues(bars)
    noisy_queues(bars, 4 if quick else 20)
    coverage(bars, 20 if quick else 200)
    peaks(bars, 6 if quick else 120)
    repetitions(bars, 10 if quick else 100)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
