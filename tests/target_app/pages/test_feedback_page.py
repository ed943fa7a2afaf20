from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

GOOD = {"content": "Fine & <b>fast</b>\r\nand 👍", "name": "Ada <i>", "email": "ada@example.com"}


class Page(HTMLParser):
    """The parts of a page that the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str, **wanted: Any) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]


def test_the_form_asks_for_what_is_published(client: FlaskClient) -> None:
    page = Page(client.get("/feedback").text)

    assert page.all("form", method="post", action="/feedback")
    assert page.all("textarea", name="content", maxlength="500")
    assert page.all("input", name="name", maxlength="50")
    assert page.all("input", name="email", type="email", maxlength="100")
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {"content", "name", "email"}


def test_the_servers_address_leads_to_the_page(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/feedback"


def test_what_was_sent_is_redirected_thanked_for_and_shown_escaped(client: FlaskClient) -> None:
    answer = client.post("/feedback", data=GOOD)

    assert answer.status_code == 303
    place = answer.headers["Location"]
    key = place.removeprefix("/feedback?sent=")
    page = client.get(place)
    assert page.status_code == 200
    assert f"it is number {key}" in page.text
    assert "Fine &amp; &lt;b&gt;fast&lt;/b&gt;\nand 👍" in page.text
    assert "Ada &lt;i&gt;" in page.text
    assert "ada@example.com" not in page.text
    stored = client.get(f"/api/v1/feedback/{key}").get_json()
    assert stored["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"content": ""}, {"content"}),
        ({"content": "c" * 501}, {"content"}),
        ({"content": "a\0b"}, {"content"}),
        ({"name": "n" * 51}, {"name"}),
        ({"email": "a" * 96 + "@b.cd"}, {"email"}),
        ({"email": '"><script>'}, {"email"}),
        ({"content": " ", "name": "", "email": "x"}, {"content", "name", "email"}),
    ],
)
def test_a_wrong_form_comes_back_with_what_was_typed_and_a_message_at_each_field(
    client: FlaskClient, change: dict[str, str], wrong: set[str]
) -> None:
    typed = GOOD | {"name": 'Ada "quote" <i>'} | change
    answer = client.post("/feedback", data=typed)

    assert answer.status_code == 422
    page = Page(answer.text)
    fields = {a["name"]: a for a in page.all("input") + page.all("textarea")}
    assert {name for name, a in fields.items() if "aria-invalid" in a} == wrong
    for name in wrong:
        described = fields[name]["aria-describedby"]
        assert described
        assert described.endswith(f"{name}-error")
        assert page.all("p", id=f"{name}-error")
    assert fields["name"]["value"] == typed["name"]
    assert fields["email"]["value"] == typed["email"]
    assert not page.all("script")
    assert not page.all("i")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_a_body_that_is_no_form_is_an_empty_form(client: FlaskClient, kind: str) -> None:
    assert client.post("/feedback", data=b"{}", content_type=kind).status_code == 422


def test_bytes_that_are_no_text_do_no_harm(client: FlaskClient) -> None:
    body = b"content=%ED%A0%80%FF&name=%00&email=a%40b"

    answer = client.post("/feedback", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 422


def test_a_form_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/feedback", data=GOOD | {"content": "c" * 70_000}).status_code == 413


def test_older_feedback_is_reached_page_by_page(client: FlaskClient) -> None:
    newest = client.get("/feedback").text
    (link,) = Page(newest).all("a", rel="next")
    assert link["href"]
    older = client.get(link["href"])

    assert older.status_code == 200
    assert "Earlier feedback" in older.text
    moments = [a["datetime"] for p in (newest, older.text) for a in Page(p).all("time")]
    assert len(moments) == len(set(moments)) == 20
    assert moments == sorted(moments, key=str, reverse=True)


@pytest.mark.parametrize("sent", ["x", "9" * 5000, "", "-1e9", "<script>"])
def test_a_made_up_receipt_does_no_harm(client: FlaskClient, sent: str) -> None:
    page = client.get("/feedback", query_string={"sent": sent})

    assert page.status_code == 200
    assert "Thank you" not in page.text


def test_pages_keep_to_themselves(client: FlaskClient) -> None:
    for answer in (client.get("/feedback"), client.get("/x", headers={"Accept": "text/html"})):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        page = Page(answer.text)
        assert not page.all("script")
        assert all("style" not in attributes for _, attributes in page.tags)
        for sheet in page.all("link"):
            assert client.get(str(sheet["href"])).status_code == 200
