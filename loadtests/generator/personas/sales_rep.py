"""The sales representative: looks own customers up, takes orders, notes what was done."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from loadtests.generator.personas.base import CREATED, PersonaUser, has, is_page
from loadtests.generator.personas.records import Portfolio

_NEXT_PAGE_SHARE = 0.2
_KNOWN_SHARE = 0.5
_TYPED = 3
_LETTERS = "abcdefghijklmnoprstw"
_SEARCH_LIMIT = 20
_SUGGEST_LIMIT = 10


class SalesRep(PersonaUser):
    """Works on the own portfolio: what it asks for, its lists and searches have shown before."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.portfolio = Portfolio()
        self._has_listed = False
        self._turn_to: str | None = None

    def list_customers(self) -> None:
        """List the newest own customers; sometimes the page after the last one that was seen."""
        path = "/api/v1/customers?limit=50"
        deeper = self._turn_to is not None and self.rng.random() < _NEXT_PAGE_SHARE
        if deeper:
            path += f"&after={self._turn_to}"
        page = self.fetch(path, name="/api/v1/customers", check=self._is_mine)
        if page:
            if deeper or not self._has_listed:
                self._turn_to = page.get("next")
            self._has_listed = True
            self.portfolio.meet(page["items"])

    def search(self) -> None:
        """Search by the beginning of a name: of a customer that is known, or by a letter."""
        self._look_up("/api/v1/search", _SEARCH_LIMIT)

    def suggest(self) -> None:
        """Have a name completed while it is typed."""
        self._look_up("/api/v1/suggest", _SUGGEST_LIMIT)

    def _look_up(self, path: str, limit: int) -> None:
        sought = None
        if len(self.portfolio) and self.rng.random() < _KNOWN_SHARE:
            sought = self.portfolio.draw(self.rng)
            typed = self.portfolio.name(sought)[:_TYPED]
        else:
            typed = self.rng.choice(_LETTERS)
        found = self.fetch(
            f"{path}?q={quote(typed)}",
            name=path,
            check=lambda body: is_page(body) or _finds(body["items"], sought, limit),
        )
        if found:
            self.portfolio.meet(found["items"])

    def open_customer(self) -> None:
        """Open one customer."""
        customer = self._choose()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}",
                name="/api/v1/customers/{id}",
                check=lambda body: has(body, id=customer, owner_id=self.account.id),
            )

    def customer_orders(self) -> None:
        """List the orders of one customer."""
        customer = self._choose()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}/orders",
                name="/api/v1/customers/{id}/orders",
                check=lambda body: is_page(body, customer_id=customer),
            )

    def timeline(self) -> None:
        """Read what was done with one customer."""
        customer = self._choose()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}/timeline",
                name="/api/v1/customers/{id}/timeline",
                check=lambda body: is_page(body, customer_id=customer),
            )

    def log_activity(self) -> None:
        """Note what was done with one customer."""
        customer = self._choose()
        if customer is not None:
            subject = f"Called about the next order ({self.rng.getrandbits(32):08x})"
            self.fetch(
                f"/api/v1/customers/{customer}/activities",
                name="/api/v1/customers/{id}/activities",
                method="POST",
                expect=CREATED,
                json={"kind": "call", "subject": subject, "body": "Will call again next week."},
                check=lambda body: has(body, customer_id=customer, subject=subject),
            )

    def create_order(self) -> None:
        """Create an order of some products, then open it."""
        customer = self._choose()
        if customer is None:
            return
        products = {self.products.draw(self.rng) for _ in range(self.rng.randint(1, 4))}
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
        """Create a customer, who is then in the own portfolio."""
        tag = f"{self.run_id}-{self.seed}-{self.number}-{self.rng.getrandbits(48):012x}"
        email = f"{tag}@example.com"
        customer = self.fetch(
            "/api/v1/customers",
            name="/api/v1/customers",
            method="POST",
            expect=CREATED,
            json={"name": f"Customer {tag}", "email": email, "company": "Example", "country": "DE"},
            check=lambda body: has(body, email=email, owner_id=self.account.id),
        )
        if customer:
            self.portfolio.meet([customer])

    def _choose(self) -> int | None:
        """Choose a customer. Who has met none looks for some instead; who has none takes one on."""
        if len(self.portfolio):
            return self.portfolio.draw(self.rng)
        if self._has_listed:
            self.create_customer()
        else:
            self.list_customers()
        return None

    def _is_mine(self, page: Any) -> str | None:
        return is_page(page, owner_id=self.account.id)


def _finds(items: list[Any], sought: int | None, limit: int) -> str | None:
    """Miss a known customer, unless others fill the answer."""
    if sought is None or len(items) >= limit or sought in {item.get("id") for item in items}:
        return None
    return "a customer of that name is not found"


def _adds_up(order: Any, customer: int, items: int) -> str | None:
    if order.get("customer_id") != customer or len(order.get("items", ())) != items:
        return "another order came back"
    total = sum(item["qty"] * item["unit_price_cents"] for item in order["items"])
    return None if total == order.get("total_cents") else "the total is not the sum of the items"
