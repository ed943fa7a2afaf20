"""Percentiles per endpoint over a run, against one plain pandas groupby of the same frame."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.quantiles import quantiles

ROWS = 1_000_000
ROUNDS = 5
LEVELS = (0.5, 0.95, 0.99)


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    endpoints = np.array([f"GET /{index}" for index in range(20)])
    names = pd.Series(endpoints[rng.integers(0, 20, ROWS)], dtype="category")
    return pd.DataFrame({"name": names, "latency_ms": rng.lognormal(1, 0.6, ROWS)})


def with_pandas(data: pd.DataFrame) -> None:
    data.groupby("name", observed=True)["latency_ms"].quantile(np.asarray(LEVELS))


def with_ours(data: pd.DataFrame) -> None:
    for _, part in data.groupby("name", observed=True):
        quantiles(part["latency_ms"].to_numpy(), LEVELS)


def seconds(work: Callable[[pd.DataFrame], None], data: pd.DataFrame) -> float:
    began = time.perf_counter()
    work(data)
    return time.perf_counter() - began


def main() -> None:
    data = frame()
    ratios = []
    for _ in range(ROUNDS):
        reference = seconds(with_pandas, data)
        ratios.append(seconds(with_ours, data) / reference)
    median = statistics.median(ratios)
    print(
        f"{ROWS:,} rows, 20 endpoints: quantiles() takes x {median:.2f} of pandas groupby.quantile"
    )


if __name__ == "__main__":
    main()
