"""What the CRM is asked for, operation by operation: for `bench_operations`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.crm_opened import FEW_OWN, OWN, Crm

Draw = Callable[[random.Random, Crm], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request to measure; `path` and `body` draw which records it is about."""

    name: str
    path: Draw
    role: str = "manager"
    method: str = "GET"
    body: Draw | None = None


def any_of(table: str) -> Draw:
    return lambda rng, crm: rng.randint(1, crm.rows[table])


def at(template: str, **draws: Draw) -> Draw:
    return lambda rng, crm: template.format(**{n: draw(rng, crm) for n, draw in draws.items()})


def own(rng: random.Random, crm: Crm) -> int:
    return rng.choice(crm.own)


def cursor(table: str) -> Draw:
    return lambda _, crm: crm.cursors[table]


def prefix(length: int) -> Draw:
    return lambda rng, crm: rng.choice(crm.names)[:length].strip()


def unique(rng: random.Random, _: Crm) -> str:
    return f"bench-{rng.getrandbits(60):x}"


DEFAULTS = (
    Operation(name="list customers", path=at("/api/v1/customers")),
    Operation(
        name="list customers, a page in the middle",
        path=at("/api/v1/customers?after={after}", after=cursor("customers")),
    ),
    Operation(
        name=f"list own customers ({OWN})", path=at(f"/api/v1/customers?limit={OWN}"), role="sales"
    ),
    Operation(
        name=f"list own leads ({FEW_OWN})",
        path=at(f"/api/v1/customers?limit={FEW_OWN}&status=lead"),
        role="sales",
    ),
    Operation(name="list active customers", path=at("/api/v1/customers?status=active")),
    Operation(name="open a customer", path=at("/api/v1/customers/{id}", id=any_of("customers"))),
    Operation(
        name="timeline of a customer",
        path=at("/api/v1/customers/{id}/timeline", id=any_of("customers")),
    ),
    Operation(
        name="orders of a customer",
        path=at("/api/v1/customers/{id}/orders", id=any_of("customers")),
    ),
    Operation(name="search", path=at("/api/v1/search?q={q}", q=prefix(6))),
    Operation(name="search, own", path=at("/api/v1/search?q={q}", q=prefix(3)), role="sales"),
    Operation(name="suggest", path=at("/api/v1/suggest?q={q}", q=prefix(3))),
    Operation(name="list orders", path=at("/api/v1/orders")),
    Operation(name="list paid orders", path=at("/api/v1/orders?status=paid")),
    Operation(
        name=f"list own orders ({OWN})", path=at(f"/api/v1/orders?limit={OWN}"), role="sales"
    ),
    Operation(
        name=f"list own paid orders ({FEW_OWN})",
        path=at(f"/api/v1/orders?limit={FEW_OWN}&status=paid"),
        role="sales",
    ),
    Operation(name="open an order", path=at("/api/v1/orders/{id}", id=any_of("orders"))),
    Operation(name="list products", path=at("/api/v1/products")),
    Operation(name="list feedback", path=at("/api/v1/feedback")),
    Operation(
        name=f"list own feedback ({FEW_OWN})",
        path=at(f"/api/v1/feedback?limit={FEW_OWN}"),
        role="sales",
    ),
    Operation(
        name=f"list own new feedback ({FEW_OWN})",
        path=at(f"/api/v1/feedback?limit={FEW_OWN}&status=new"),
        role="sales",
    ),
    Operation(name="queue of new feedback", path=at("/api/v1/feedback?status=new")),
    Operation(name="open feedback", path=at("/api/v1/feedback/{id}", id=any_of("feedback"))),
    Operation(
        name="create a customer",
        path=at("/api/v1/customers"),
        role="sales",  # so that the newest have an owner, whose name a list looks up
        method="POST",
        body=lambda rng, crm: {"name": "Bench", "email": f"{unique(rng, crm)}@example.com"},
    ),
    Operation(
        name="log an activity",
        path=at("/api/v1/customers/{id}/activities", id=own),
        role="sales",
        method="POST",
        body=lambda *_: {"kind": "call", "subject": "Bench", "body": "Called back."},
    ),
    Operation(
        name="create an order",
        path=at("/api/v1/orders"),
        role="sales",
        method="POST",
        body=lambda rng, crm: {
            "customer_id": own(rng, crm),
            "items": [{"product_id": any_of("products")(rng, crm), "qty": 2} for _ in range(3)],
        },
    ),
    Operation(
        name="give feedback",
        path=at("/api/v1/feedback"),
        method="POST",
        body=lambda rng, crm: {
            "content": "All as promised.",
            "name": "Bench",
            "email": "bench@example.com",
            "customer_id": any_of("customers")(rng, crm),
            "score": 5,
        },
    ),
    Operation(name="feedback page", path=at("/feedback")),
    Operation(name="overview page of a sales rep", path=at("/"), role="sales"),
)
REPORTS = tuple(
    Operation(name=f"report: {name}", path=at(f"/api/v1/reports/{path}"))
    for name, path in {
        "sales by month": "sales?group=month",
        "RFM": "rfm",
        "satisfaction": "satisfaction",
        "retention": "retention",
    }.items()
)
BY_NAME = {operation.name: operation for operation in DEFAULTS}
DEFECTS: Mapping[str, tuple[str, ...]] = {
    "drop_index=customers_name": ("suggest", "search"),
    "drop_index=activities_customer": ("timeline of a customer",),
    "drop_index=orders_customer": ("orders of a customer",),
    "drop_index=customers_portfolio": (f"list own customers ({OWN})",),
    "drop_index=customers_created": ("list customers",),
    "paging=offset": ("list customers, a page in the middle",),
    "n_plus_one=true": ("list customers", "list orders"),
    "list_mode=unbounded": ("list feedback",),
    "cache=ttl": ("list customers", "suggest"),
}
