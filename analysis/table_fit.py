"""An architect's table fitted and judged: what ``trueload fit --json`` prints."""

from __future__ import annotations

from typing import Any

from analysis.estimate import Estimate
from analysis.levels import Level
from analysis.load_table import LoadTable
from analysis.scalability import scalability
from scenarios.counting import count_of
from scenarios.errors import ExitCode

FORMAT = 1
"""Version of the document."""

MOST_LINES = 8
"""So many lines of a file are named one by one."""

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
        ``refused`` is why there is no fit, or None; ``notes`` are sentences on the table.
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
        "left_out": list(table.left_out),
        "notes": _notes(table),
        "exit_code": int(ExitCode.PASSED if found.refused is None else ExitCode.INCONCLUSIVE),
        "refused": document.pop("refused"),
        **document,
        "r2": None if fit is None else fit.r2,
        "rmse": None if fit is None else fit.rmse,
        "residual_se": None if fit is None else fit.residual_se,
        "residual_df": None if fit is None else fit.residual_df,
    }


def _notes(table: LoadTable) -> list[str]:
    said = []
    if table.left_out:
        rows = count_of(len(table.left_out), "row", "are")
        said.append(f"{rows} left out, with load 0 and throughput 0: {_lines(table.left_out)}")
    if table.doubtful is not None:
        mark = "comma" if "," in table.doubtful else "point"
        said.append(
            f"{table.doubtful} is read with a decimal {mark}, and what is written like it: no "
            "other number tells whether it parts thousands"
        )
    return said


def _lines(numbers: tuple[int, ...]) -> str:
    """Name lines of a file: from the first to the last where none lies between, else each."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"lines {numbers[0]} to {numbers[-1]}"
    shown = ", ".join(str(number) for number in numbers[:MOST_LINES])
    more = len(numbers) - MOST_LINES
    return f"lines {shown} and {more} more" if more > 0 else f"lines {shown}"
