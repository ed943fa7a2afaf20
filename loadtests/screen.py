"""The one calm screen that shows a run on a terminal while it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.report.typography import clean
from loadtests.live import BudgetSoFar, Now
from scenarios.assertions import Metric
from scenarios.schedule import Schedule

_BARS = "▁▂▃▄▅▆▇█"
_BUDGETS = 6
_CPU_HIGH = 0.85
"""From this share of its core on, a stage is invalid: shown before it is too late."""


def screen(
    past: Sequence[Now],
    budgets: Sequence[BudgetSoFar],
    schedule: Schedule,
    *,
    unit: str,
    title: str,
) -> RenderableType:
    """Lay a moment of a run out.

    Parameters
    ----------
    past : sequence of Now
        The last seconds, the newest last; at least one.
    budgets : sequence of BudgetSoFar
        Of the hold that is on.
    schedule : Schedule
        What was planned.
    unit : str
        What levels count, in words.
    title : str
        Of the scenario.

    Returns
    -------
    RenderableType
        For a Rich console, eight lines and one for each budget.
    """
    now = past[-1]
    return Group(
        Text.assemble((clean(title), "bold"), "  ", (_place(now, schedule), "dim")),
        _numbers(now, unit),
        _trends(past),
        *_budgets(budgets),
        _generator(now, schedule),
    )


def _place(now: Now, schedule: Schedule) -> str:
    if now.stage is None:
        return now.phase
    span = schedule.spans[now.stage]
    ends_s = span.end_s if now.phase == "hold" else span.hold_s
    left = f"{max(ends_s - now.t_s, 0):.0f} s left of it"
    return f"stage {now.stage + 1} of {len(schedule.spans)}, {now.phase}, {left}"


def _numbers(now: Now, unit: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    is_open = unit.startswith("arrivals")
    cells = [
        ("asked", f"{now.asked_text} {unit}" if is_open else f"{now.asked:,.0f}", ""),
        ("users", f"{now.running:,}", "" if is_open or now.running >= now.asked else "yellow"),
        ("ok/s", f"{now.rate:,.0f}", ""),
        ("p50", _ms(now.p50_ms), ""),
        ("p95", _ms(now.p95_ms), ""),
        ("bad", f"{now.bad:,}", "red" if now.bad else ""),
        ("open", f"{now.open:,}", ""),
    ]
    if is_open:
        cells.append(("late", f"{now.late:,}", "yellow" if now.late else ""))
        cells.append(("missed", f"{now.missed:,}", "red" if now.missed else ""))
    for name, _, _ in cells:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(*(Text(value, style=style) for _, value, style in cells))
    return table


def _trends(past: Sequence[Now]) -> Text:
    recent = list(past)[-30:]
    return Text.assemble(
        ("ok/s ", "dim"),
        bars(now.rate for now in recent),
        ("  p95 ", "dim"),
        bars(now.p95_ms or 0.0 for now in recent),
        ("  bad ", "dim"),
        bars(now.bad for now in recent),
    )


def _budgets(budgets: Sequence[BudgetSoFar]) -> list[RenderableType]:
    if not budgets:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for budget in budgets[:_BUDGETS]:
        mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[budget.holds]
        subject = "" if budget.subject == "all" else f"{clean(budget.subject)} "
        table.add_row(
            Text(mark, style=style), Text(f"{subject}{budget.assertion.text}"), Text(_share(budget))
        )
    more = len(budgets) - _BUDGETS
    rest = [Text(f"  {more} more", style="dim")] if more > 0 else []
    return [Text("budgets so far in this hold", style="dim"), table, *rest]


def _share(budget: BudgetSoFar) -> str:
    share = budget.share
    if share is None:
        return "no request yet"
    what = "bad" if budget.assertion.metric is Metric.ERROR_RATIO else "beyond it"
    allowed = f"{100 * budget.allowed:.4g} %"
    return f"{100 * share:.3g} % {what} of {budget.requests:,} (allowed {allowed})"


def _generator(now: Now, schedule: Schedule) -> Text:
    left_s = max(schedule.end_s - now.t_s, 0.0)
    late = "" if now.lag_ms is None else f", its loop at most {now.lag_ms:.1f} ms late"
    busy = f"{now.cpu:.0%} of a core"
    return Text.assemble(
        ("generator ", "dim"),
        (busy, "yellow" if now.cpu > _CPU_HIGH else "dim"),
        (late, "dim"),
        (f"    {_clock(left_s)} of load left", ""),
    )


def bars(values: Iterable[float]) -> str:
    """Draw numbers as a row of bars, the highest as a full one.

    Parameters
    ----------
    values : iterable of float
        Not negative.

    Returns
    -------
    str
        A character each; nothing but the lowest bar where all are 0.
    """
    known = list(values)
    highest = max(known, default=0.0)
    if highest <= 0:
        return _BARS[0] * len(known)
    last = len(_BARS) - 1
    return "".join(_BARS[round(value / highest * last)] for value in known)


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"  # noqa: PLR2004 - three digits


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
