"""``/api/v1/reports``: what the records say together.

The database counts, in whole numbers; what is divided is divided here, so that both databases give
the same. A ratio of nothing is null, and each has its ``n`` beside it. Orders that were cancelled
count nowhere. The present is that of the data: see `target_app.insights.present`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Response

from target_app import answers
from target_app.accounts import MANAGERS, Account
from target_app.api import Api
from target_app.insights import retention, rfm, sales, satisfaction
from target_app.problems import FieldError, Invalid
from target_app.rules import Choice, Text
from target_app.validation import Parameter

api = Api("insights")

READERS = MANAGERS | {"marketing"}
"""The roles that may read reports."""

_OLD_S = 60
_MONTH = Text(7, pattern=re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])"), form="a month, as 2025-03")
_SALES = {
    "group": Parameter(Choice(("month",)), "month", about="What a row stands for."),
    "from": Parameter(_MONTH, about="The first month; the first of all when left out."),
    "to": Parameter(_MONTH, about="The last month; the last of all when left out."),
}


@api.get(
    "/reports/sales", allow=READERS, query=_SALES, answers={200: sales.SCHEMA}, cached_s=_OLD_S
)
def report_sales(account: Account, query: Mapping[str, Any]) -> Response:
    """
    Report revenue, orders and the average order by month and currency.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        As described.

    Returns
    -------
    Response
        The months in order; one without orders is left out.

    Raises
    ------
    Invalid
        422, when the last month comes before the first.
    """
    del account
    if query["from"] and query["to"] and query["to"] < query["from"]:
        raise Invalid([FieldError("to", "must not be before `from`")])
    return answers.ok(
        {"group": query["group"], "items": sales.by_month(query["from"], query["to"])}
    )


@api.get("/reports/rfm", allow=READERS, answers={200: rfm.SCHEMA}, cached_s=_OLD_S)
def report_rfm(account: Account) -> Response:
    """
    Report how many customers are champions, loyal, at risk, lost, ... by recency and worth.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        Every segment, the best first.
    """
    del account
    return answers.ok(rfm.segments())


@api.get(
    "/reports/satisfaction", allow=READERS, answers={200: satisfaction.SCHEMA}, cached_s=_OLD_S
)
def report_satisfaction(account: Account) -> Response:
    """
    Report how satisfied those are who gave feedback, and how soon they were answered.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        CSAT, NPS, mean score, response rate, time to the first response.
    """
    del account
    return answers.ok(satisfaction.measure())


@api.get("/reports/retention", allow=READERS, answers={200: retention.SCHEMA}, cached_s=_OLD_S)
def report_retention(account: Account) -> Response:
    """
    Report how many customers buy again, stay from one year to the next, or do not.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        Three ratios.
    """
    del account
    return answers.ok(retention.measure())
