"""Marketing: looks through segments, and notes a campaign with some of a segment."""

from __future__ import annotations

import math
from typing import Any

from loadtests.generator.personas.base import CREATED, NEXT_PAGE_SHARE, PersonaUser
from loadtests.generator.personas.checks import has, is_page

_SEGMENTS = ("consumer", "small_business", "enterprise")
_NOTED_AT_ONCE = 5


class Marketing(PersonaUser):
    """Sees all customers, and changes none."""

    abstract = True

    def forget(self) -> None:
        """Begin a session: having seen no segment."""
        super().forget()
        self._seen: list[int] = []
        self._turn_to: dict[str, str] = {}

    def list_segment(self) -> None:
        """List the newest customers of a segment; sometimes the page after the last seen."""
        segment = self.rng.choice(_SEGMENTS)
        path = f"/api/v1/customers?limit=50&segment={segment}"
        if segment in self._turn_to and self.rng.random() < NEXT_PAGE_SHARE:
            path += f"&after={self._turn_to[segment]}"
        page = self.fetch(
            path, name="/api/v1/customers", check=lambda body: is_page(body, segment=segment)
        )
        if page:
            self._turn_to.pop(segment, None)
            if page.get("next"):
                self._turn_to[segment] = page["next"]
            self._seen = [customer["id"] for customer in page["items"]] or self._seen

    def rfm_report(self) -> None:
        """Read how many customers are champions, loyal, at risk, lost."""
        self.fetch("/api/v1/reports/rfm", name="/api/v1/reports/rfm", check=_is_rfm)

    def export_customers(self) -> None:
        """Take the newest customers away."""
        self.export("/api/v1/customers", moment="created_at")

    def note_campaign(self) -> None:
        """Note a campaign with five customers of the segment that was seen last."""
        if not self._seen:
            self.list_segment()
        subject = f"Campaign {self.tag()}"
        chosen = self.rng.sample(self._seen, min(_NOTED_AT_ONCE, len(self._seen)))
        for customer in chosen:
            if not self._note(customer, subject):
                return

    def _note(self, customer: int, subject: str) -> Any:
        return self.fetch(
            f"/api/v1/customers/{customer}/activities",
            name="/api/v1/customers/{id}/activities",
            method="POST",
            expect=CREATED,
            json={"kind": "email", "subject": subject},
            check=lambda body: has(
                body, customer_id=customer, subject=subject, user_id=self.account.id
            ),
        )


def _is_rfm(report: Any) -> str | None:
    """Check a report of segments: that they are told apart, and add up."""
    if not isinstance(report, dict) or not isinstance(report.get("segments"), list):
        return "no report"
    rows, total = report["segments"], report["customers"]
    if len({row["segment"] for row in rows}) != len(rows):
        return "a segment comes twice"
    if sum(row["customers"] for row in rows) != total:
        return "the segments do not add up"
    shares = [row["share"] for row in rows]
    # each is rounded to four digits
    if total and not math.isclose(sum(shares), 1, abs_tol=0.5e-4 * len(rows) + 1e-9):
        return "the shares do not add up"
    return None
