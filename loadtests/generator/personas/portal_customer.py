"""The customer on the portal: reads own orders, sends feedback through the form."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from loadtests.generator.personas.base import SEE_OTHER, PersonaUser, has, is_page

_FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN_FIELD = re.compile(r"<input\b[^>]*\bname=[\"']?csrf_token\b[^>]*>")
_VALUE = re.compile(r"\bvalue=(?:\"([^\"]*)\"|'([^']*)')")
_TEXTS = (
    "The delivery came a day early, thank you.",
    "Where can I see the invoice of my last order?",
    "The box was damaged, but what was in it was not.",
    "Everything as promised. 非常满意。",
)


class PortalCustomer(PersonaUser):
    """One customer, the same all the time: the one that its account belongs to."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._form_token: str | None = None

    def read_form(self) -> None:
        """Read the feedback form and the newest feedback."""
        self._open_form("/feedback")

    def send_feedback(self) -> None:
        """Send the form and follow the redirect: one click, two requests.

        Who has not opened the form yet has nothing to send, and opens it instead.
        """
        if self._form_token is None:
            self.read_form()
            return
        content = f"{self.rng.choice(_TEXTS)} ({self.rng.getrandbits(32):08x})"
        form = {
            "csrf_token": self._form_token,
            "content": content,
            "name": "Kim Example",
            "email": "kim@example.com",
        }
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
            self._open_form(location)

    def my_orders(self) -> Any:
        """List the own orders."""
        customer = self.account.customer_id
        return self.fetch(
            f"/api/v1/customers/{customer}/orders",
            name="/api/v1/customers/{id}/orders",
            check=lambda body: is_page(body, customer_id=customer),
        )

    def open_order(self) -> None:
        """List the own orders and open one of them."""
        page = self.my_orders()
        if page and page["items"]:
            order = self.rng.choice(page["items"])["id"]
            self.fetch(
                f"/api/v1/orders/{order}",
                name="/api/v1/orders/{id}",
                check=lambda body: has(body, id=order, customer_id=self.account.customer_id),
            )

    def _open_form(self, path: str) -> None:
        page = self.fetch(path, name="/feedback", check=_has_form)
        if page is not None:
            self._form_token = form_token(page)


def _has_form(page: Any) -> str | None:
    if not isinstance(page, str) or "<form" not in page:
        return "the page has no form"
    return None if form_token(page) else "the form has no CSRF token"


def form_token(page: str) -> str | None:
    """Find what a page's form must be sent with, to prove that it was read here.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    str or None
        The value of the hidden field; None when there is none.
    """
    field = _TOKEN_FIELD.search(page)
    value = _VALUE.search(field[0]) if field else None
    return unescape(value[1] or value[2] or "") or None if value else None
