"""The pages in Chromium: by keyboard alone, on every width, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from tests.support.accounts import Accounts
from tests.support.site import on_a_port
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

Ask = Callable[..., Any]
CUSTOMER = 31
LONG = "Long" * 24
PATHS = (
    "/",
    "/customers",
    "/customers?q=nobody",
    f"/customers/{CUSTOMER}",
    f"/customers/{CUSTOMER}/orders",
    f"/customers/{CUSTOMER}/edit",
    "/orders/1",
    "/feedback",
    "/feedback/queue",
    "/feedback/1",
    "/nothing",
)
FOCUSED = """() => {
  const e = document.activeElement, c = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    name: e.outerHTML.slice(0, 90), outline: c.outlineStyle, width: parseFloat(c.outlineWidth),
    seen: box.width > 0 && box.height > 0, body: e === document.body,
  };
}"""
# Of each text on the page: what it says, its contrast with what lies behind it, and what is asked.
CONTRASTS = """() => {
  const parse = s => (s.match(/[\\d.]+/g) || []).map(Number);
  const light = rgb => {
    const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a] = parse(getComputedStyle(e).backgroundColor);
      if (a === undefined || a > 0) return [r, g, b];
    }
    throw new Error("no ground");
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.value;
    if (!own || e.type === "hidden" || e.matches(".off, option, .unseen")) continue;
    const c = getComputedStyle(e), size = parseFloat(c.fontSize);
    const [x, y] = [light(parse(c.color).slice(0, 3)), light(ground(e))].sort((m, n) => n - m);
    const large = size >= 24 || (size >= 18.66 && c.fontWeight >= 700);
    found.push([e.outerHTML.slice(0, 90), (x + .05) / (y + .05), large ? 3 : 4.5]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def site(app: Flask, accounts: Accounts) -> Iterator[str]:
    """Where the pages are; one customer has texts without a place to break a line."""
    admin = accounts.client(app, "admin")
    email = f"{LONG[:60]}@{LONG[:60]}.example"
    texts = {"name": LONG, "company": LONG, "city": LONG[:80], "email": email}
    event = {"kind": "note", "subject": LONG * 2, "body": LONG * 9}
    told = {"content": LONG * 5, "name": LONG[:50], "email": "a@b.c"}
    order = {"customer_id": CUSTOMER, "items": [{"product_id": 1, "qty": 1000}]}
    answers = (
        admin.patch(f"/api/v1/customers/{CUSTOMER}", json=texts),
        admin.post(f"/api/v1/customers/{CUSTOMER}/activities", json=event),
        admin.post("/api/v1/feedback", json=told),
        admin.post("/api/v1/orders", json=order),
    )
    assert [answer.status_code for answer in answers] == [200, 201, 201, 201]
    with on_a_port(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A window that must ask for nothing but the site, and complain of nothing."""
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    foreign: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    context.close()
    assert [url for url in foreign if not url.startswith(f"{site}/")] == []
    expected = "Failed to load resource: the server responded with a status of 4"
    assert [text for text in complaints if not text.startswith(expected)] == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus; each stop on the way must be seen to have it."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert not focused["body"], f"nothing like {selector} can be reached"
        assert focused["outline"] != "none", focused
        assert focused["width"] >= 2, focused
        assert focused["seen"], focused
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} takes more than 120 stops")


def sign_in(page: Page, email: str, password: str) -> None:
    """By keyboard alone: the first field has the focus."""
    page.goto("/login")
    page.wait_for_selector("#email:focus")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def become(page: Page, app: Flask, site: str, account: Any) -> None:
    """Give the window the session of an account."""
    cookie = Visitor(app, account).client.get_cookie("crm_session")
    assert cookie
    page.context.add_cookies([{"name": "crm_session", "value": cookie.value, "url": site}])


def test_a_sales_rep_finds_a_customer_and_logs_an_activity_by_keyboard_alone(
    page: Page, seller: Visitor, accounts: Accounts, ask: Ask
) -> None:
    assert seller.account
    ((key, name), *_) = ask(
        "SELECT id, name FROM customers WHERE owner_id = :o ORDER BY id", o=seller.account["id"]
    )
    sign_in(page, seller.account["email"], accounts.password)
    assert page.locator("h1").inner_text() == f"Good day, {seller.account['name']}"

    tab_to(page, "#q")
    page.keyboard.type(name[:6])
    enter(page)
    tab_to(page, f"main a[href='/customers/{key}']")
    enter(page)
    assert page.locator("h1").inner_text() == name
    tab_to(page, "#kind")
    page.keyboard.type("meet")
    page.keyboard.press("Tab")
    page.keyboard.type("Talked about the offer")
    tab_to(page, "main button")
    enter(page)

    assert page.get_by_role("status").inner_text() == "The activity is in the timeline."
    first = page.locator(".timeline li").first
    assert first.locator("strong").inner_text() == "Talked about the offer"
    assert first.locator(".kind").inner_text() == "meeting"
    tab_to(page, "header button")
    enter(page)
    assert page.url.endswith("/login")


def test_support_takes_feedback_from_the_queue_to_resolved_by_keyboard_alone(
    page: Page, accounts: Accounts
) -> None:
    sign_in(page, accounts.of_role("support")[0]["email"], accounts.password)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    tab_to(page, "main .said a")
    enter(page)
    assert page.locator("h1").inner_text().startswith("Feedback of ")
    tab_to(page, "#content")
    page.keyboard.type("We are sorry, and have sent another one.")
    tab_to(page, "main button")
    enter(page)
    assert page.get_by_role("status").inner_text() == "Your answer is stored."
    tab_to(page, "form[action$=resolve] button")
    enter(page)

    assert page.get_by_role("status").inner_text() == "The feedback is resolved."
    assert page.locator(".under .status").inner_text() == "resolved"


def test_a_wrong_form_leads_to_its_fields(
    page: Page, app: Flask, site: str, accounts: Accounts
) -> None:
    become(page, app, site, accounts.of_role("manager")[0])
    page.goto("/customers/new")
    tab_to(page, "main button")
    enter(page)

    alert = page.get_by_role("alert")
    assert "Not saved yet." in alert.inner_text()
    tab_to(page, "a[href='#email']")
    page.keyboard.press("Enter")
    page.keyboard.type("x")
    assert page.locator("#email").input_value() == "x"
    assert page.locator("#email-error").inner_text() == "This field is required."


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_every_window_and_its_text_can_be_read(
    page: Page, app: Flask, site: str, accounts: Accounts, path: str
) -> None:
    become(page, app, site, accounts.of_role("manager")[0])
    page.goto(path)

    for width in (320, 390, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, width
    schemes: tuple[Any, ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(CONTRASTS)
        assert len(found) > 5
        assert [text for text in found if text[1] < text[2]] == [], scheme


@pytest.mark.parametrize("role", ["sales", "marketing", "portal"])
def test_the_overview_of_each_role_fits_a_telephone(
    page: Page, app: Flask, site: str, accounts: Accounts, role: str
) -> None:
    become(page, app, site, accounts.of_role(role)[1])
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto("/")

    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
