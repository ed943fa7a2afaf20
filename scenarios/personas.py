"""Who the virtual users are: think times and journeys, as data.

A persona repeats steps drawn by weight, with a think time before each: a
truncated exponential of mean Z cut at 10 Z (TPC-W 5.3.1.1 cuts likewise), the
first one uniform on (0, 2 Z) so that users do not start in step. No persona mix
for CRM systems is published: the weights are an assumption, printed in every
report (sources of the think times: SAP standard benchmarks 10 s, Microsoft CRM
4.0 call centre 12 s).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

THINK_CUT = 10.0
"""A think time is cut at this many times its mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One click: its weight, and the requests that it sends in order."""

    weight: float
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A kind of user: what it does and how long it thinks.

    Attributes
    ----------
    name : str
        As the mix names it.
    role : str
        Of its accounts in the CRM.
    think_s : float
        Z, the mean of the exponential before it is cut, in seconds.
    steps : mapping of str to Step
        The journey.
    """

    name: str
    role: str
    think_s: float
    steps: Mapping[str, Step]

    @property
    def mean_think_s(self) -> float:
        """Mean of the truncated think time.

        Returns
        -------
        float
            Seconds: Z (1 - c / (e^c - 1)) with the cut at c Z.
        """
        return self.think_s * (1 - THINK_CUT / math.expm1(THINK_CUT))


_CUSTOMERS = "GET /api/v1/customers"
_CUSTOMER = "GET /api/v1/customers/{id}"
_CUSTOMER_ORDERS = "GET /api/v1/customers/{id}/orders"
_SEARCH = "GET /api/v1/search"
_SUGGEST = "GET /api/v1/suggest"
_TIMELINE = "GET /api/v1/customers/{id}/timeline"
_NEW_ACTIVITY = "POST /api/v1/customers/{id}/activities"
_NEW_CUSTOMER = "POST /api/v1/customers"
_NEW_ORDER = "POST /api/v1/orders"
_ORDER = "GET /api/v1/orders/{id}"
_FORM = "GET /feedback"
_SEND_FORM = "POST /feedback"

PERSONAS: Mapping[str, Persona] = {
    "sales_rep": Persona(
        name="sales_rep",
        role="sales",
        think_s=10.0,
        steps={
            "list_customers": Step(weight=20, requests=(_CUSTOMERS,)),
            "search": Step(weight=20, requests=(_SEARCH,)),
            "suggest": Step(weight=2, requests=(_SUGGEST,)),
            "open_customer": Step(weight=25, requests=(_CUSTOMER,)),
            "timeline": Step(weight=10, requests=(_TIMELINE,)),
            "log_activity": Step(weight=10, requests=(_NEW_ACTIVITY,)),
            "customer_orders": Step(weight=5, requests=(_CUSTOMER_ORDERS,)),
            "create_order": Step(weight=5, requests=(_NEW_ORDER, _ORDER)),
            "create_customer": Step(weight=3, requests=(_NEW_CUSTOMER,)),
        },
    ),
    "portal_customer": Persona(
        name="portal_customer",
        role="portal",
        think_s=15.0,
        steps={
            "read_form": Step(weight=35, requests=(_FORM,)),
            "send_feedback": Step(weight=15, requests=(_SEND_FORM, _FORM)),
            "my_orders": Step(weight=35, requests=(_CUSTOMER_ORDERS,)),
            "open_order": Step(weight=15, requests=(_CUSTOMER_ORDERS, _ORDER)),
        },
    ),
}


def mean_think_s(mix: Mapping[str, float], think_scale: float) -> float:
    """Mean think time over the virtual users of a mix.

    For the length of a settle. Little's law takes each persona's own think time
    instead: quick personas click more often than their share of the users.

    Parameters
    ----------
    mix : mapping of str to float
        Personas and weights (shares of users).
    think_scale : float
        Factor on every think time.

    Returns
    -------
    float
        Seconds.
    """
    total = sum(mix.values())
    return think_scale * sum(
        weight * PERSONAS[name].mean_think_s / total for name, weight in mix.items()
    )


def requested_endpoints(mix: Mapping[str, float]) -> frozenset[str]:
    """Every endpoint that a mix can request.

    Parameters
    ----------
    mix : mapping of str to float
        Personas and weights.

    Returns
    -------
    frozenset of str
        As ``"METHOD /path"``.
    """
    return frozenset(
        request
        for name in mix
        for step in PERSONAS[name].steps.values()
        for request in step.requests
    )
