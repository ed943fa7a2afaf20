"""An architect's table fitted and judged: what ``trueload fit --json`` prints."""

from __future__ import annotations

from typing import Any

from analysis.estimate import Estimate
from analysis.levels import Level
from analysis.load_table import LoadTable
from analysis.scalability import scalability
from scenarios.errors import ExitCode

FORMAT = 1
"""Version of the document."""

_ONCE = "a row of the table is one number"


def fit_table(table: LoadTable, *, name: str) -> dict[str, Any]:
    """Fit the models to a table, and say what it shows.

    Parameters
    ----------
    table : LoadTable
        Loads and throughputs.
    name : str
        Of its file.

    Returns
    -------
    dict
        Plain numbers, texts, lists, dicts and None. Estimates are ``sigma``, ``kappa``,
        ``lambda``, ``peak_load``, ``peak_throughput``, ``saturation`` and ``asymptote``;
        ``refused`` is why there is no fit, or None.
    """
    found = scalability(
        [
            Level(
                level=load,
                in_flight=Estimate(value=load, low=load, high=load, unit="requests"),
                throughput=Estimate(value=x, unit="1/s", why=_ONCE),
            )
            for load, x in table.rows
        ],
        single=True,
        across_runs=True,
        axis=table.axis,
    )
    fit = found.fit
    document = found.as_dict()
    document["peak_load"] = document.pop("peak")
    return {
        "format": FORMAT,
        "file": name,
        "columns": {"load": table.load_column, "throughput": table.throughput_column},
        "rows": [list(row) for row in table.rows],
        "exit_code": int(ExitCode.PASSED if found.refused is None else ExitCode.INCONCLUSIVE),
        "refused": document.pop("refused"),
        **document,
        "r2": None if fit is None else fit.r2,
        "rmse": None if fit is None else fit.rmse,
        "residual_se": None if fit is None else fit.residual_se,
        "residual_df": None if fit is None else fit.residual_df,
    }
