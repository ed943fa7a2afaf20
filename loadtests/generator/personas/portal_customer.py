"""The customer on the portal: reads own orders, sends feedback through the form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from loadtests.generator.personas.base import SEE_OTHER, PersonaUser, is_page

_FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
_TEXTS = (
    "The delivery came a day early, thank you.",
    "Where can I see the invoice of my last order?",
    "The box was damaged, but what was in it was not.",
    "Everything as promised. 非常满意。",
)


class PortalCustomer(PersonaUser):
    """One customer: the same one all the time."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.customer = self.records.customer(self.rng)

    def read_form(self) -> None:
        """Read the feedback form and the newest feedback."""
        self.fetch("/feedback", name="/feedback", check=_has_form)

    def send_feedback(self) -> None:
        """Send the form and follow the redirect: one click, two requests."""
        content = f"{self.rng.choice(_TEXTS)} ({self.rng.getrandbits(32):08x})"
        form = {"content": content, "name": "Kim Example", "email": "kim@example.com"}
        location = self.fetch(
            "/feedback",
            name="/feedback",
            method="POST",
            expect=SEE_OTHER,
            data=urlencode(form),
            headers=_FORM_TYPE,
            check=lambda to: None if "sent=" in to else "the redirect names no feedback",
        )
        if location:
            self.fetch(location, name="/feedback", check=_has_form)

    def my_orders(self) -> Any:
        """List the own orders."""
        return self.fetch(
            f"/api/v1/customers/{self.customer}/orders",
            name="/api/v1/customers/{id}/orders",
            check=is_page,
        )

    def open_order(self) -> None:
        """List the own orders and open one of them."""
        page = self.my_orders()
        if page and page["items"]:
            order = self.rng.choice(page["items"])["id"]
            self.fetch(
                f"/api/v1/orders/{order}",
                name="/api/v1/orders/{id}",
                check=lambda body: None if body.get("id") == order else "another order came",
            )


def _has_form(page: Any) -> str | None:
    return None if isinstance(page, str) and "<form" in page else "the page has no form"
