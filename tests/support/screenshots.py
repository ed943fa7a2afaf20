"""Takes the pictures of the pages that the documents show, out of a dataset of its own.

``python -m tests.support.screenshots docs`` writes crm-dashboard.png, crm-customer.png and
crm-feedback.png into a folder. The dataset has one seed, so the pictures change when the pages do.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from target_app import Config, create_app, seeding
from tests.chromium import find_chromium
from tests.support.site import on_a_port

CUSTOMERS, SEED = 10_000, 1
WIDTH, HEIGHT = 1280, 960
# The rep with the most leads, and of that rep the customer with the most activities and orders.
_REP = (
    "SELECT u.id, u.email FROM users u JOIN customers c ON c.owner_id = u.id AND c.status = 'lead'"
    " WHERE u.role = 'sales' GROUP BY u.id ORDER BY count(*) DESC, u.id LIMIT 1"
)
_CUSTOMER = (
    "SELECT c.id FROM customers c WHERE c.owner_id = ? ORDER BY"
    " (SELECT min(count(*), 8) FROM activities a WHERE a.customer_id = c.id) +"
    " (SELECT min(count(*), 5) FROM orders o WHERE o.customer_id = c.id) DESC, c.id LIMIT 1"
)
_SUPPORT = "SELECT email FROM users WHERE role = 'support' ORDER BY id LIMIT 1"


def take(folder: Path) -> None:
    """Write the three pictures into a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        found = seeding.seed(Path(temporary) / "dataset", customers=CUSTOMERS, seed=SEED)
        head = (found.folder / "accounts.jsonl").read_text(encoding="utf-8").partition("\n")[0]
        password = json.loads(head)["password"]
        database = seeding.copy_dataset(found.folder, Path(temporary) / "work" / "crm.sqlite")
        with sqlite3.connect(database) as connection:
            ((rep, seller),) = connection.execute(_REP)
            ((customer,),) = connection.execute(_CUSTOMER, (rep,))
            ((support,),) = connection.execute(_SUPPORT)
        connection.close()
        app = create_app(Config(database=database))
        with on_a_port(app) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium())
            page = browser.new_page(
                base_url=address,
                viewport={"width": WIDTH, "height": HEIGHT},
                color_scheme="light",
            )
            _sign_in(page, seller, password)
            page.screenshot(path=folder / "crm-dashboard.png")
            page.goto(f"/customers/{customer}")
            page.screenshot(path=folder / "crm-customer.png")
            page.click("header button")
            _sign_in(page, support, password)
            page.goto("/feedback/queue")
            page.screenshot(path=folder / "crm-feedback.png")
            browser.close()


def _sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("main button")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
