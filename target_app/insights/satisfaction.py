"""What feedback says of us: scores, and how soon it was answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, case, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from target_app.insights import patience
from target_app.insights.figures import COUNT, FIGURE, NUMBER, figure, members, ratio
from target_app.models import Feedback, table_of

SCHEMA = members(
    feedback=COUNT,
    csat=FIGURE,
    nps=FIGURE,
    mean_score=FIGURE,
    response_rate=FIGURE,
    first_response_s=members(median=NUMBER, mean=NUMBER, n=COUNT),
)

_SATISFIED = 4
_PROMOTER, _DETRACTOR = 9, 6


class _Seconds(FunctionElement[int]):
    """Seconds since 1970 of a moment as the tables keep it, fractions dropped."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Seconds, "sqlite")
def _on_sqlite(element: _Seconds, compiler: SQLCompiler, **how: Any) -> str:
    moment = compiler.process(element.clauses, **how)
    return f"CAST(strftime('%s', substr({moment}, 1, 19)) AS INTEGER)"


@compiles(_Seconds, "postgresql")
def _on_postgresql(element: _Seconds, compiler: SQLCompiler, **how: Any) -> str:
    moment = compiler.process(element.clauses, **how)
    return f"CAST(extract(epoch FROM CAST(substr({moment}, 1, 19) AS timestamp)) AS bigint)"


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(cast(func.sum(column), BigInteger), 0)


_feedback = table_of(Feedback)
_WAITED = _Seconds(_feedback.c.first_response_at) - _Seconds(_feedback.c.created_at)
_COUNTED = select(
    func.count().label("all"),
    func.count(_feedback.c.score).label("scored"),
    _total(_feedback.c.score).label("score"),
    _how_many(_feedback.c.score >= _SATISFIED).label("satisfied"),
    func.count(_feedback.c.nps).label("asked"),
    _how_many(_feedback.c.nps >= _PROMOTER).label("promoters"),
    _how_many(_feedback.c.nps <= _DETRACTOR).label("detractors"),
    func.count(_feedback.c.first_response_at).label("answered"),
    _total(_WAITED).label("waited"),
)
_IN_THE_MIDDLE = (
    select(_WAITED)
    .where(_feedback.c.first_response_at.is_not(None))
    .order_by(_WAITED)
    .limit(bindparam("taken", type_=Integer))
    .offset(bindparam("before", type_=BigInteger))
)


def measure() -> dict[str, Any]:
    """
    Measure the satisfaction of those who gave feedback.

    Returns
    -------
    dict of str to object
        ``csat``: the share of scores 4 and 5; ``nps``: 100 times the share of 9 and 10 less that
        of 0 to 6 (one digit); ``mean_score`` (two digits); ``response_rate``: the share that was
        answered; ``first_response_s``: seconds to the first answer, of those that have one. Each
        with the ``n`` it is of; shares with four digits.
    """
    of = patience.rows(_COUNTED)[0]
    return {
        "feedback": of.all,
        "csat": figure(of.satisfied, of.scored),
        "nps": {
            "value": ratio(100 * (of.promoters - of.detractors), of.asked, digits=1),
            "n": of.asked,
        },
        "mean_score": figure(of.score, of.scored, digits=2),
        "response_rate": figure(of.answered, of.all),
        "first_response_s": {
            "median": _median(of.answered),
            "mean": ratio(of.waited, of.answered, digits=1),
            "n": of.answered,
        },
    }


def _median(n: int) -> float | None:
    """Give the middle of what was waited, or the mean of the two there."""
    if not n:
        return None
    found = patience.rows(_IN_THE_MIDDLE, taken=2 - n % 2, before=(n - 1) // 2)
    return ratio(sum(row[0] for row in found), len(found), digits=1)
