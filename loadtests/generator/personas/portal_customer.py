"""The customer on the portal: reads own orders, sends feedback through the form."""

from __future__ import annotations

from typing import Any

from loadtests.generator.personas.base import CREATED, SEE_OTHER, PersonaUser
from loadtests.generator.personas.checks import adds_up, has, is_page
from loadtests.generator.personas.forms import form_token, has_form

_TEXTS = (
    "The delivery came a day early, thank you.",
    "Where can I see the invoice of my last order?",
    "The box was damaged, but what was in it was not.",
    "Everything as promised. 非常满意。",
)


class PortalCustomer(PersonaUser):
    """One customer, the same all the time: the one that its account belongs to."""

    abstract = True

    def forget(self) -> None:
        """Begin a session: having seen neither the form nor an order."""
        super().forget()
        self._form_token: str | None = None
        self._orders: list[int] = []

    def read_form(self) -> None:
        """Read the feedback form and the newest feedback."""
        self._open_form("/feedback")

    def send_feedback(self) -> None:
        """Send the form and follow the redirect to the page that says thank you."""
        if self._form_token is None:
            self.read_form()
        if self._form_token is None:
            return
        form = {
            "csrf_token": self._form_token,
            "content": f"{self.rng.choice(_TEXTS)} ({self.rng.getrandbits(32):08x})",
            "name": "Kim Example",
            "email": "kim@example.com",
        }
        location = self.fetch(
            "/feedback",
            name="/feedback",
            method="POST",
            expect=SEE_OTHER,
            data=form,
            check=lambda to: None if _number(to) else "the redirect names no feedback",
        )
        if location:
            self._open_form(location, thanks_for=_number(location))

    def my_orders(self) -> None:
        """List the own orders."""
        customer = self.account.customer_id
        page = self.fetch(
            f"/api/v1/customers/{customer}/orders",
            name="/api/v1/customers/{id}/orders",
            check=lambda body: is_page(body, customer_id=customer) or self._lacks_none(body),
        )
        if page:
            self._orders = [order["id"] for order in page["items"]]

    def open_order(self) -> None:
        """Open one of the own orders. Who has seen none lists them; who has none orders."""
        customer = self.account.customer_id
        if not self._orders:
            self.my_orders()
        if not self._orders:
            self._order()
        if not self._orders:
            return
        order = self.rng.choice(self._orders)
        self.fetch(
            f"/api/v1/orders/{order}",
            name="/api/v1/orders/{id}",
            check=lambda body: has(body, id=order) or adds_up(body, customer or 0),
        )

    def _order(self) -> None:
        customer = self.account.customer_id
        items = [{"product_id": self.products.draw(self.rng), "qty": 1}]
        order = self.fetch(
            "/api/v1/orders",
            name="/api/v1/orders",
            method="POST",
            expect=CREATED,
            json={"customer_id": customer, "items": items},
            check=lambda body: adds_up(body, customer or 0, len(items)),
        )
        if order:
            self._orders = [order["id"]]

    def _lacks_none(self, page: dict[str, Any]) -> str | None:
        """Miss orders that were seen before, unless the list goes on."""
        there = {order.get("id") for order in page["items"]}
        if page.get("next") or there.issuperset(self._orders):
            return None
        return "an order that was there is missing"

    def _open_form(self, path: str, thanks_for: str | None = None) -> None:
        page = self.fetch(
            path,
            name="/feedback",
            check=lambda body: has_form(body) or _thanks(body, thanks_for),
        )
        if page is not None:
            self._form_token = form_token(page)


def _number(location: str) -> str | None:
    """Give the number of the feedback that a redirect leads to."""
    _, sent, number = location.partition("sent=")
    return number if sent and number.isdigit() else None


def _thanks(page: str, number: str | None) -> str | None:
    if number is None or f"it is number {number}." in page:
        return None
    return "nobody says thank you for the feedback"
