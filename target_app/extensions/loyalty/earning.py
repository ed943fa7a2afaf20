"""How points are earned: one for each whole unit of money that is ordered."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from target_app.events import order_cancelled, order_placed
from target_app.extensions.loyalty import ledger

CENTS_PER_POINT = 100


def connect(app: Flask) -> None:
    """
    Hear of an application's orders.

    Parameters
    ----------
    app : Flask
        The application.
    """

    @order_placed.connect_via(app)
    def _earn(_: Flask, order: Mapping[str, Any]) -> None:
        _add(order, 1, "order")

    @order_cancelled.connect_via(app)
    def _take_back(_: Flask, order: Mapping[str, Any]) -> None:
        _add(order, -1, "cancellation")

    # Signals hold subscribers weakly; these live as long as the application.
    app.extensions["crm_loyalty"] = (_earn, _take_back)


def _add(order: Mapping[str, Any], sign: int, reason: str) -> None:
    """Add what an order is worth, or take it back."""
    points = order["total_cents"] // CENTS_PER_POINT
    if points:
        ledger.add(order["customer_id"], sign * points, reason, order["id"])
