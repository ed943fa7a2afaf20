"""The manager: signs in at the pages, and reads how the house is doing."""

from __future__ import annotations

from typing import Any

from loadtests.generator.client.cookies import CookieJar
from loadtests.generator.personas.base import SEE_OTHER, PersonaUser
from loadtests.generator.personas.checks import is_page
from loadtests.generator.personas.forms import form_token, has_form, shown_to

_WHOLE_SHARE = 0.5


class Manager(PersonaUser):
    """Reads reports; on the pages as who has signed in, by the API with a token."""

    abstract = True

    def forget(self) -> None:
        """Begin a session: not signed in."""
        super().forget()
        self._signed_in = False
        self._months: list[str] = []

    def sign_in(self) -> None:
        """Sign in with a password, and see the overview."""
        self._sign_in()
        if self._signed_in:
            self._overview()

    def dashboard(self) -> None:
        """See the overview; who is not signed in does that first."""
        if not self._signed_in:
            self._sign_in()
        if self._signed_in:
            self._overview()

    def sales_report(self) -> None:
        """Read the sales of all months, or from one month that was seen to another."""
        path, first, last = "/api/v1/reports/sales?group=month", "", "9999-12"
        if self._months and self.rng.random() >= _WHOLE_SHARE:
            first, last = sorted(self.rng.choices(self._months, k=2))
            path += f"&from={first}&to={last}"
        report = self.fetch(
            path,
            name="/api/v1/reports/sales",
            check=lambda body: is_page(body) or _is_sales(body["items"], first, last),
        )
        if report and not first:
            self._months = sorted({row["month"] for row in report["items"]})

    def satisfaction_report(self) -> None:
        """Read how satisfied those are who gave feedback."""
        self.fetch(
            "/api/v1/reports/satisfaction",
            name="/api/v1/reports/satisfaction",
            check=_is_satisfaction,
        )

    def export_orders(self) -> None:
        """Take the newest orders away."""
        self.export("/api/v1/orders", moment="placed_at")

    def _sign_in(self) -> None:
        self.client.cookies = CookieJar()
        self._signed_in = False
        page = self.fetch("/login", name="/login", check=has_form)
        if page is None:
            return
        form = {
            "csrf_token": form_token(page) or "",
            "next": "/",
            "email": self.account.email,
            "password": self.accounts.password,
        }
        led_to = self.fetch(
            "/login",
            name="/login",
            method="POST",
            expect=SEE_OTHER,
            data=form,
            check=lambda to: None if to == "/" else "the redirect leads elsewhere",
        )
        self._signed_in = led_to is not None

    def _overview(self) -> None:
        self.fetch("/", name="/", check=self._is_mine)

    def _is_mine(self, page: Any) -> str | None:
        if shown_to(page) != self.account.name:
            return "a page that was made for somebody else came"
        return None if 'id="sales"' in page and 'id="mood"' in page else "a part is missing"


def _is_sales(rows: list[dict[str, Any]], first: str, last: str) -> str | None:
    """Check a report of sales: its order, its months, its averages."""
    keys = [(row["month"], row["currency"]) for row in rows]
    if keys != sorted(set(keys)):
        return "the months are out of order, or one comes twice"
    if any(not first <= month <= last for month, _ in keys):
        return "a month that was not asked for came"
    for row in rows:
        orders, revenue = row["orders"], row["revenue_cents"]
        if orders < 1 or row["average_cents"] != (2 * revenue + orders) // (2 * orders):
            return "an average is not revenue by orders"
    return None


def _is_satisfaction(report: Any) -> str | None:
    """Check a report of satisfaction: its counts, and the bounds of its ratios."""
    if not isinstance(report, dict) or not isinstance(report.get("feedback"), int):
        return "no report"
    everything, csat, answered = report["feedback"], report["csat"], report["response_rate"]
    if answered["n"] != everything or not 0 <= csat["n"] <= everything:
        return "the counts do not agree"
    shares = [figure["value"] for figure in (csat, answered) if figure["value"] is not None]
    if not all(0 <= share <= 1 for share in shares):
        return "a share is none"
    waited = report["first_response_s"]["n"]
    # the share is rounded to four digits
    if answered["value"] is not None and abs(answered["value"] * everything - waited) > (
        0.5e-4 * everything + 1e-6
    ):
        return "not as many answers as the response rate says"
    return None
