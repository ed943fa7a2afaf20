"""The support agent: works through the queue of new feedback."""

from __future__ import annotations

from typing import Any

from loadtests.generator.personas.base import (
    CONFLICT,
    CREATED,
    NEXT_PAGE_SHARE,
    PRECONDITION_FAILED,
    PersonaUser,
)
from loadtests.generator.personas.checks import has, is_page

_TEXTS = (
    "Thank you for telling us. We are looking into it.",
    "We are sorry to hear that; a replacement is on its way.",
    "The invoice is on its way to you by e-mail.",
)


class SupportAgent(PersonaUser):
    """One of those who answer; the others work on the same queue."""

    abstract = True

    def forget(self) -> None:
        """Begin a session: having opened nothing, and seen no queue."""
        super().forget()
        self._queue: list[dict[str, Any]] = []
        self._turn_to: str | None = None
        self._open: dict[str, Any] | None = None
        self._answers: dict[int, int] = {}
        self._customers: list[int] = []

    def queue(self) -> None:
        """Look at the new feedback, newest first; sometimes at the page after."""
        path = "/api/v1/feedback?limit=50&status=new"
        if self._turn_to is not None and self.rng.random() < NEXT_PAGE_SHARE:
            path += f"&after={self._turn_to}"
        page = self.fetch(
            path, name="/api/v1/feedback", check=lambda body: is_page(body, status="new")
        )
        if page:
            self._queue, self._turn_to = page["items"], page.get("next")

    def open_feedback(self) -> None:
        """Open one of the queue, drawn at random: so that agents seldom take the same."""
        self._see_queue()
        if self._queue:
            self._read(self.rng.choice(self._queue)["id"])

    def open_customer(self) -> None:
        """Open the customer who wrote what is open; if nobody knows who, one that wrote before."""
        customer = (self._open or {}).get("customer_id") or self._somebody()
        if customer is not None:
            self.fetch(
                f"/api/v1/customers/{customer}",
                name="/api/v1/customers/{id}",
                check=lambda body: has(body, id=customer),
            )

    def respond(self) -> None:
        """Answer what is open, and see the answer under it."""
        opened = self._opened()
        if opened is None:
            return
        key, text = opened["id"], f"{self.rng.choice(_TEXTS)} ({self.rng.getrandbits(32):08x})"
        answer = self.fetch(
            f"/api/v1/feedback/{key}/responses",
            name="/api/v1/feedback/{id}/responses",
            method="POST",
            expect=CREATED,
            json={"content": text},
            check=lambda body: has(body, feedback_id=key, content=text, user_id=self.account.id),
        )
        if answer:
            self._answers[key] = answer["id"]
            self._read(key)

    def resolve(self) -> None:
        """Close what is open, unless another agent has touched it since."""
        opened = self._opened()
        if opened is None:
            return
        self.fetch(
            f"/api/v1/feedback/{opened['id']}",
            name="/api/v1/feedback/{id}",
            method="PATCH",
            unless=(CONFLICT, PRECONDITION_FAILED),
            headers={"If-Match": f'"{opened["version"]}"'},
            json={"status": "resolved"},
            check=lambda body: has(
                body, id=opened["id"], status="resolved", version=opened["version"] + 1
            ),
        )
        self._open = None

    def _opened(self) -> dict[str, Any] | None:
        """Give what is open; who has nothing open opens something first."""
        if self._open is None:
            self.open_feedback()
        return self._open

    def _see_queue(self) -> None:
        """See that there is something to choose from: where nobody waits, all feedback is."""
        if not self._queue:
            self.queue()
        if not self._queue:
            page = self.fetch("/api/v1/feedback?limit=50", name="/api/v1/feedback", check=is_page)
            self._queue = page["items"] if page else []

    def _read(self, key: int) -> None:
        record = self.fetch(
            f"/api/v1/feedback/{key}",
            name="/api/v1/feedback/{id}",
            check=lambda body: has(body, id=key) or self._lacks_answer(body),
        )
        self._open = record

    def _lacks_answer(self, record: dict[str, Any]) -> str | None:
        own = self._answers.get(record["id"])
        if own is None:
            return None
        if own not in {response.get("id") for response in record.get("responses", ())}:
            return "an answer that was given is not there"
        return None if record.get("status") in {"answered", "resolved"} else "it is still new"

    def _somebody(self) -> int | None:
        self._see_queue()
        known = [item["customer_id"] for item in self._queue if item.get("customer_id")]
        if not known and not self._customers:
            page = self.fetch("/api/v1/customers?limit=50", name="/api/v1/customers", check=is_page)
            self._customers = [item["id"] for item in page["items"]] if page else []
        known = known or self._customers
        return self.rng.choice(known) if known else None
