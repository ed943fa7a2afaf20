"""The sales representative: looks own customers up, takes orders, notes what was done."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from loadtests.generator.personas.base import CREATED, NEXT_PAGE_SHARE, PersonaUser
from loadtests.generator.personas.checks import Written, adds_up, has, is_page, still_holds
from loadtests.generator.personas.records import Portfolio

_KNOWN_SHARE = 0.5
_TYPED = 3
_LETTERS = "abcdefghijklmnoprstw"
_SEARCH_LIMIT = 20
_SUGGEST_LIMIT = 10


class SalesRep(PersonaUser):
    """Works on the own portfolio: what it asks for, its lists and searches have shown before.

    Nobody else writes to these customers, so that what was written must be there later.
    """

    abstract = True

    def forget(self) -> None:
        """Begin a session: having met nobody."""
        super().forget()
        self.portfolio = Portfolio()
        self._has_listed = False
        self._turn_to: str | None = None
        self._phones: dict[int, str] = {}
        self._logged: dict[int, Written] = {}
        self._ordered: dict[int, Written] = {}

    def list_customers(self) -> None:
        """List the newest own customers; sometimes the page after the last one that was seen."""
        path = "/api/v1/customers?limit=50"
        deeper = self._turn_to is not None and self.rng.random() < NEXT_PAGE_SHARE
        if deeper:
            path += f"&after={self._turn_to}"
        page = self.fetch(
            path,
            name="/api/v1/customers",
            check=lambda body: is_page(body, owner_id=self.account.id),
        )
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
            self._open(customer)

    def customer_orders(self) -> None:
        """List the orders of one customer."""
        customer = self._choose()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}/orders",
                name="/api/v1/customers/{id}/orders",
                check=lambda body: (
                    is_page(body, customer_id=customer)
                    or still_holds(body, "placed_at", self._ordered.get(customer))
                ),
            )

    def timeline(self) -> None:
        """Read what was done with one customer."""
        customer = self._choose()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}/timeline",
                name="/api/v1/customers/{id}/timeline",
                check=lambda body: (
                    is_page(body, customer_id=customer)
                    or still_holds(body, "occurred_at", self._logged.get(customer))
                ),
            )

    def log_activity(self) -> None:
        """Note what was done with one customer; who reads the timeline later must see it."""
        customer = self._choose()
        if customer is None:
            return
        subject = f"Called about the next order ({self.rng.getrandbits(32):08x})"
        activity = self.fetch(
            f"/api/v1/customers/{customer}/activities",
            name="/api/v1/customers/{id}/activities",
            method="POST",
            expect=CREATED,
            json={"kind": "call", "subject": subject, "body": "Will call again next week."},
            check=lambda body: has(body, customer_id=customer, subject=subject),
        )
        if activity:
            self._logged[customer] = (activity["occurred_at"], activity["id"])

    def update_customer(self) -> None:
        """Change a customer's number, unless somebody else has changed the record meanwhile."""
        customer = self._choose()
        record = None if customer is None else self._open(customer)
        if customer is None or record is None:
            return
        phone = f"+49 30 {self.rng.randrange(10**8):08d}"
        self._phones.pop(customer, None)  # what it will be nobody knows until it is answered
        changed = self.fetch(
            f"/api/v1/customers/{customer}",
            name="/api/v1/customers/{id}",
            method="PATCH",
            headers={"If-Match": f'"{record["version"]}"'},
            json={"phone": phone},
            check=lambda body: has(body, id=customer, phone=phone, version=record["version"] + 1),
        )
        if changed:
            self._phones[customer] = phone

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
            check=lambda body: adds_up(body, customer, len(items)),
        )
        if order:
            self._ordered[customer] = (order["placed_at"], order["id"])
            self.fetch(
                f"/api/v1/orders/{order['id']}",
                name="/api/v1/orders/{id}",
                check=lambda body: (
                    has(body, id=order["id"], total_cents=order["total_cents"])
                    or adds_up(body, customer, len(items))
                ),
            )

    def create_customer(self) -> None:
        """Create a customer, who is then in the own portfolio, and open the record."""
        tag = self.tag()
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
            self._open(customer["id"], email=email)

    def _choose(self) -> int | None:
        """Choose a customer. Who has met none lists them first; who has none takes one on."""
        if not len(self.portfolio):
            self.list_customers()
        if not len(self.portfolio) and self._has_listed:
            self.create_customer()
        return self.portfolio.draw(self.rng) if len(self.portfolio) else None

    def _open(self, customer: int, **values: Any) -> Any:
        """Open a record, which must be as it was written last."""
        if customer in self._phones:
            values["phone"] = self._phones[customer]
        return self.fetch(
            f"/api/v1/customers/{customer}",
            name="/api/v1/customers/{id}",
            check=lambda body: has(body, id=customer, owner_id=self.account.id, **values),
        )


def _finds(items: list[Any], sought: int | None, limit: int) -> str | None:
    """Miss a known customer, unless others fill the answer."""
    if sought is None or len(items) >= limit or sought in {item.get("id") for item in items}:
        return None
    return "a customer of that name is not found"
