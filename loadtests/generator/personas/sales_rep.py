"""The sales representative: looks customers up, takes orders."""

from __future__ import annotations

from typing import Any

from loadtests.generator.personas.base import CREATED, PersonaUser, is_page

_SECOND_PAGE_SHARE = 0.2


class SalesRep(PersonaUser):
    """Lists and opens customers, reads their orders, creates orders and customers."""

    abstract = True

    def list_customers(self) -> None:
        """List the newest customers; sometimes the next page too."""
        page = self.fetch("/api/v1/customers?limit=50", name="/api/v1/customers", check=_full_page)
        if page and page.get("next") and self.rng.random() < _SECOND_PAGE_SHARE:
            path = f"/api/v1/customers?limit=50&after={page['next']}"
            self.fetch(path, name="/api/v1/customers", check=is_page)

    def open_customer(self) -> None:
        """Open one customer."""
        customer = self.records.customer(self.rng)
        self.fetch(
            f"/api/v1/customers/{customer}",
            name="/api/v1/customers/{id}",
            check=lambda body: None if body.get("id") == customer else "another customer came",
        )

    def customer_orders(self) -> None:
        """List the orders of one customer."""
        customer = self.records.customer(self.rng)
        self.fetch(
            f"/api/v1/customers/{customer}/orders",
            name="/api/v1/customers/{id}/orders",
            check=lambda body: is_page(body) or _all_of(body, customer),
        )

    def create_order(self) -> None:
        """Create an order of some products, then open it."""
        customer = self.records.customer(self.rng)
        products = {self.records.product(self.rng) for _ in range(self.rng.randint(1, 4))}
        items = [{"product_id": key, "qty": self.rng.randint(1, 5)} for key in sorted(products)]
        order = self.fetch(
            "/api/v1/orders",
            name="/api/v1/orders",
            method="POST",
            expect=CREATED,
            json={"customer_id": customer, "items": items},
            check=lambda body: _adds_up(body, customer, len(items)),
        )
        if order:
            self.fetch(
                f"/api/v1/orders/{order['id']}",
                name="/api/v1/orders/{id}",
                check=lambda body: _adds_up(body, customer, len(items)),
            )

    def create_customer(self) -> None:
        """Create a customer."""
        tag = f"{self.run_id}-{self.seed}-{self.number}-{self.rng.getrandbits(48):012x}"
        email = f"{tag}@example.com"
        self.fetch(
            "/api/v1/customers",
            name="/api/v1/customers",
            method="POST",
            expect=CREATED,
            json={"name": f"Customer {tag}", "email": email, "company": "Example", "country": "DE"},
            check=lambda body: None if body.get("email") == email else "another e-mail came back",
        )


def _full_page(body: Any) -> str | None:
    return is_page(body) or (None if body["items"] else "the list of customers is empty")


def _all_of(body: Any, customer: int) -> str | None:
    owners = {order.get("customer_id") for order in body["items"]}
    return None if owners <= {customer} else "orders of another customer came"


def _adds_up(order: Any, customer: int, items: int) -> str | None:
    if order.get("customer_id") != customer or len(order.get("items", ())) != items:
        return "another order came back"
    total = sum(item["qty"] * item["unit_price_cents"] for item in order["items"])
    return None if total == order.get("total_cents") else "the total is not the sum of the items"
