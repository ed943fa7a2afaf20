"""What a hold measured, in numbers: for all of its requests and for each endpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.concurrency import mean_in_flight
from analysis.estimate import Estimate, not_estimable
from analysis.failure_memory import failure_time
from analysis.failures import error_ratio, outcome_counts, ratios_by_outcome
from analysis.quantiles import maximum, mean, quantiles
from analysis.recording.format import UNFINISHED, Outcome
from analysis.spent import spent_in
from analysis.throughput import throughput
from analysis.windows import Hold

LEVELS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}

NOT_RUN = "the hold was not run"

_UNFINISHED = [outcome.label for outcome in UNFINISHED]


def counts(samples: pd.DataFrame) -> dict[str, Any]:
    """Count requests by how they ended.

    Parameters
    ----------
    samples : DataFrame
        Samples of a recording.

    Returns
    -------
    dict
        ``requests``, ``bad``, ``unfinished``, and ``outcomes`` by label.
    """
    return {
        "requests": len(samples),
        "bad": int(samples["bad"].sum()),
        "unfinished": int(samples["outcome"].isin(_UNFINISHED).sum()),
        "outcomes": outcome_counts(samples["outcome"]),
    }


def times(samples: pd.DataFrame, column: str) -> dict[str, Any]:
    """Describe latencies: of right answers, and of requests that nobody saw the end of.

    Parameters
    ----------
    samples : DataFrame
        Samples of a hold in intended order.
    column : str
        ``"latency_ms"`` or ``"service_ms"``.

    Returns
    -------
    dict
        Estimates by ``p50``, ``p90``, ``p95``, ``p99``, ``avg``, ``max``.
    """
    values = samples[column].to_numpy(dtype=float)
    censored = samples["censored"].to_numpy(dtype=bool)
    among = samples["good"].to_numpy() | censored
    among &= ~np.isnan(values)  # what was never sent has no service time
    values, censored = values[among], censored[among]
    found = quantiles(values, LEVELS.values(), censored=censored)
    estimates = {name: found[level] for name, level in LEVELS.items()}
    estimates["avg"] = mean(values, censored=censored)
    estimates["max"] = maximum(values, censored=censored)
    return {name: estimate.as_dict() for name, estimate in estimates.items()}


def throughput_of(hold: Hold) -> Estimate:
    """Measure the right answers per second of a hold.

    Parameters
    ----------
    hold : Hold
        Any.

    Returns
    -------
    Estimate
        Without a value when the hold was not run.
    """
    if not hold.window.was_run:
        return not_estimable(NOT_RUN, unit="1/s")
    opened = hold.opened("end_s", "good")
    done_s = opened["end_s"].to_numpy()[opened["good"].to_numpy()]
    return throughput(done_s, hold.window.start_s, hold.window.end_s)


def in_flight_of(hold: Hold) -> Estimate:
    """Measure how many requests were in flight on average in a hold.

    Parameters
    ----------
    hold : Hold
        Any.

    Returns
    -------
    Estimate
        Without a value when the hold was not run.
    """
    if not hold.window.was_run:
        return not_estimable(NOT_RUN, unit="requests")
    opened = hold.opened("outcome", "sent_us", "end_s")
    still_open = (opened["outcome"] == Outcome.OPEN.label).to_numpy()
    return mean_in_flight(
        opened["sent_us"].to_numpy() / 1e6,
        np.where(still_open, np.nan, opened["end_s"].to_numpy()),
        hold.window.start_s,
        hold.window.end_s,
    )


def measured(hold: Hold) -> dict[str, Any]:
    """Describe a hold, or its part about one endpoint.

    Parameters
    ----------
    hold : Hold
        Any.

    Returns
    -------
    dict
        Counts and estimates as verdict.json has them.
    """
    samples = hold.samples
    counted = (samples["outcome"] != Outcome.CANCELLED.label).to_numpy()
    bad, latency_ms = (samples[name].to_numpy()[counted] for name in ("bad", "latency_ms"))
    return {
        **counts(samples),
        "carried": hold.carried,
        "throughput": throughput_of(hold).as_dict(),
        "error_ratio": error_ratio(bad, tau=failure_time(bad, latency_ms)).as_dict(),
        "error_ratios": {
            label: ratio.as_dict() for label, ratio in ratios_by_outcome(samples["outcome"]).items()
        },
        "latency": times(samples, "latency_ms"),
        "service_time": times(samples, "service_ms"),
        "spent": spent_in(samples).as_dict(),
    }


def endpoints(hold: Hold) -> list[dict[str, Any]]:
    """Describe each endpoint that had a request open in a hold.

    Parameters
    ----------
    hold : Hold
        Any.

    Returns
    -------
    list of dict
        By name.
    """
    return [{"name": name, **measured(part)} for name, part in hold.by_name()]
