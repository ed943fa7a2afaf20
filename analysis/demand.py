"""The utilisation law as a check: CPU that is used is requests times what each costs.

::

    U = X D        U cores in use, X answers per second, D CPU seconds of an answer

Where D does not depend on load, cores / D is the throughput that the CPU allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.estimate import Estimate, not_estimable
from analysis.intervals import student_t

FloatArray = npt.NDArray[np.float64]

SERVER, DATABASE = "target", "database"
"""Roles of processes whose CPU requests cost."""

CONFIDENCE = 0.95

MIN_LOOKS = 6
"""Fewer looks at the CPU in a hold say nothing of how much they differ."""

MIN_BUSY = 0.2
"""Part of the cores from which on what an idle server costs is little beside its requests."""

LEAST_CHANGE = 0.05
"""Change of the demand that is worth a word, where it is surely one."""

UNWATCHED = "nobody watched the CPU of the target"
BY_CORES, BY_WORKERS = "cores / demand", "workers / demand on them"
"""How the throughput that the CPU allows was found: by whichever allows less."""

METHOD = "CPU seconds / answers; Student t over seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a request costs at one level of load.

    Attributes
    ----------
    level : float
        Users, or arrivals per second, asked for.
    cores_used : float or None
        By the server and its database, on average; None where nobody watched.
    total, server : Estimate
        CPU of an answer in milliseconds: of both, and of the server alone.
    """

    level: float
    cores_used: float | None
    total: Estimate
    server: Estimate


def cpu_of(resources: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Add up the CPU of the target's processes at each look.

    Parameters
    ----------
    resources : sequence of mapping
        Lines of ``resources.jsonl``.

    Returns
    -------
    DataFrame, shape (looks, 2)
        Cores used since the look before by ``target`` and ``database``, over seconds of
        run time; without looks at which a process had no number yet.
    """
    lines = [
        (float(line["t_s"]), line["role"], line["cpu"])
        for line in resources
        if line.get("role") in {SERVER, DATABASE} and line.get("t_s") is not None
    ]
    frame = pd.DataFrame(lines, columns=["t_s", "role", "cpu"])
    if frame.empty:
        return pd.DataFrame(columns=[SERVER, DATABASE], dtype=float)
    known = pd.to_numeric(frame["cpu"]).notna().groupby(frame["t_s"]).all()
    sums = frame.assign(cpu=pd.to_numeric(frame["cpu"])).pivot_table(
        index="t_s", columns="role", values="cpu", aggfunc="sum"
    )
    sums = sums.reindex(columns=[SERVER, DATABASE])
    whole = sums[known.reindex(sums.index).to_numpy() & sums[SERVER].notna().to_numpy()]
    return whole.fillna(0.0)


def demand_at(
    level: float, cpu: pd.DataFrame, done_s: npt.ArrayLike, start_s: float, end_s: float
) -> Demand:
    """Measure what a request costs in a hold.

    Parameters
    ----------
    level : float
        Of the hold.
    cpu : DataFrame
        As :func:`cpu_of` gives it.
    done_s : array_like, shape (n,)
        When the last byte of each answer came, whatever it was, in seconds of run time.
    start_s, end_s : float
        The hold.

    Returns
    -------
    Demand
        Not estimable with fewer than six looks in the hold, or without answers.

    References
    ----------
    The service demand law, Denning and Buzen (1978); the error is that of a ratio of
    sums over seconds (Cochran, "Sampling techniques").
    """
    looks = cpu.index.to_numpy(dtype=np.float64)
    inside = (looks[1:] <= end_s) & (looks[:-1] >= start_s) if len(looks) else np.zeros(0, bool)
    if cpu.empty or inside.sum() < MIN_LOOKS:
        why = UNWATCHED if cpu.empty else f"fewer than {MIN_LOOKS} looks at the CPU in the hold"
        none = not_estimable(why, unit="ms", method=METHOD)
        return Demand(level=level, cores_used=None, total=none, server=none)
    lengths = np.diff(looks)[inside]
    done = np.sort(np.asarray(done_s, dtype=np.float64))
    upto = np.searchsorted(done, looks)
    answers = np.diff(upto)[inside].astype(np.float64)
    server = cpu[SERVER].to_numpy(dtype=np.float64)[1:][inside] * lengths
    both = server + cpu[DATABASE].to_numpy(dtype=np.float64)[1:][inside] * lengths
    return Demand(
        level=level,
        cores_used=float(both.sum() / lengths.sum()),
        total=_ratio(both, answers),
        server=_ratio(server, answers),
    )


def _ratio(spent_s: FloatArray, answers: FloatArray) -> Estimate:
    total, n = float(answers.sum()), len(answers)
    if total == 0 or spent_s.sum() == 0:
        why = "no answer came" if total == 0 else "no CPU was used, as far as its clock tells"
        return not_estimable(why, unit="ms", n=n, method=METHOD)
    value = float(spent_s.sum()) / total
    off = spent_s - value * answers
    error = math.sqrt(n / (n - 1) * float(off @ off)) / total
    half = student_t(CONFIDENCE, n - 1) * error
    return Estimate(
        value=value * 1000,
        low=max(0.0, value - half) * 1000,
        high=(value + half) * 1000,
        level=CONFIDENCE,
        n=int(total),
        unit="ms",
        method=METHOD,
    )


def utilisation_law(
    demands: Sequence[Demand], *, cores: int | None, workers: int | None
) -> dict[str, Any]:
    """Hold the levels against the utilisation law, and say what the CPU allows.

    Parameters
    ----------
    demands : sequence of Demand
        Of the valid levels, by load.
    cores : int or None
        That the target had for itself; None where it shared them or nobody knows.
    workers : int or None
        Processes of the server, of which each uses one core at most (Python's lock).

    Returns
    -------
    dict
        ``scalability.demand`` of verdict.json: ``levels``, ``service_demand`` and
        ``utilisation`` at the highest level, ``change`` over the levels that were
        busy, ``cores``, ``workers``, ``xmax`` of those of the two that are fewer.
    """
    known = [each for each in demands if each.total.value is not None]
    why = demands[-1].total.why if demands else "no level is valid"
    top = known[-1] if known else None
    busy = [each for each in known if cores is None or (each.cores_used or 0) >= MIN_BUSY * cores]
    return {
        "levels": [{"level": each.level, "demand": each.total.as_dict()} for each in demands],
        "service_demand": (top.total if top else _none(why, "ms")).as_dict(),
        "change": _change(busy) if top and cores is not None else None,
        "cores": cores,
        "workers": workers,
        "utilisation": _utilisation(top, cores, why).as_dict(),
        "xmax": _xmax(busy, cores, workers, why).as_dict(),
    }


def _none(why: str | None, unit: str) -> Estimate:
    return not_estimable(why or UNWATCHED, unit=unit, method=METHOD)


def _change(busy: Sequence[Demand]) -> dict[str, Any] | None:
    if len(busy) < 2:  # noqa: PLR2004 - one level cannot change
        return None
    first, last = busy[0].total, busy[-1].total
    a, b = first.value or 0.0, last.value or 0.0
    direction = "constant"
    if (last.low or 0.0) > (first.high or 0.0) and b > a * (1 + LEAST_CHANGE):
        direction = "rises"
    elif (last.high or 0.0) < (first.low or 0.0) and b < a * (1 - LEAST_CHANGE):
        direction = "falls"
    return {"direction": direction, "first": a, "last": b}


def _utilisation(top: Demand | None, cores: int | None, why: str | None) -> Estimate:
    if top is None or top.cores_used is None:
        return _none(why, "ratio")
    if cores is None:
        return _none("the target shared its cores, or nobody knows how many it had", "ratio")
    return Estimate(
        value=top.cores_used / cores,
        n=1,
        unit="ratio",
        method="cores used / cores, at the highest level",
        why="a statement about this run: no interval",
    )


def _xmax(
    busy: Sequence[Demand], cores: int | None, workers: int | None, why: str | None
) -> Estimate:
    """Give the throughput at which the cores, or the workers, are busy all the time."""
    if cores is None:
        return _none("the target shared its cores, or nobody knows how many it had", "1/s")
    if not busy:
        return _none(why or f"at no level the target used {MIN_BUSY:.0%} of its cores", "1/s")
    total, server = busy[-1].total, busy[-1].server
    bounds = [(cores, total, BY_CORES)]
    if workers is not None and server.value:
        bounds.append((workers, server, BY_WORKERS))
    many, cost, method = min(bounds, key=lambda each: each[0] / (each[1].value or math.inf))
    if not cost.value or not cost.low or not cost.high:
        return _none("the demand may as well be 0", "1/s")
    return Estimate(
        value=1000 * many / cost.value,
        low=1000 * many / cost.high,
        high=1000 * many / cost.low,
        level=CONFIDENCE,
        n=cost.n,
        unit="1/s",
        method=f"{method}, at the highest level",
    )
