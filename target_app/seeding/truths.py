"""What an analysis of a dataset has to find, because the dataset was drawn from it."""

from __future__ import annotations

from typing import Any

from target_app.seeding import calendar, shapes, texts


def truths() -> dict[str, Any]:
    """
    Write down what the rows are drawn from.

    Returns
    -------
    dict of str to object
        For the manifest.
    """
    orders = (shapes.ORDERS_MEAN, shapes.ORDERS_DISPERSION)
    activities = (shapes.ACTIVITIES_MEAN, shapes.ACTIVITIES_DISPERSION)
    return {
        "orders_per_customer": _counts(*orders),
        "activities_per_customer": _counts(*activities),
        "items_per_order": list(shapes.ITEMS_PER_ORDER),
        "feedback_per_customer": shapes.FEEDBACK_PER_CUSTOMER,
        "scores": list(shapes.SCORES),
        "product_popularity": {"distribution": "zipf", "exponent": shapes.PRODUCT_SKEW},
        "text_length": {
            "distribution": "lognormal",
            "median": texts.MEDIAN,
            "sigma": texts.SIGMA,
            "longest": texts.LONGEST,
        },
        "foreign_texts": {kind: share for kind, (share, _) in texts.FOREIGN.items()},
        "hours": list(calendar.HOURS),
        "weekdays": list(calendar.WEEKDAYS),
        "months_of_orders": list(calendar.SEASON),
        "growth_per_year": calendar.GROWTH,
        "history_days": calendar.HISTORY_DAYS,
    }


def _counts(mean: float, dispersion: float) -> dict[str, Any]:
    """Describe a negative binomial."""
    return {
        "distribution": "negative binomial",
        "mean": mean,
        "k": dispersion,
        "none": round(shapes.none_share(mean, dispersion), 6),
        "repeat_rate": round(shapes.repeat_rate(mean, dispersion), 6),
    }
