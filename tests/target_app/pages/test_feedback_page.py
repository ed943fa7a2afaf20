from collections.abc import Callable
from typing import Any

import pytest

from tests.support.markup import Markup
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]

GOOD = {"content": "Fine & <b>fast</b>\r\nand 👍", "name": "Ada <i>", "email": "ada@example.com"}


def test_the_form_asks_for_what_is_published(visit: Visit) -> None:
    page = visit().see("/feedback")

    assert page.all("form", method="post", action="/feedback")
    assert page.all("textarea", name="content", maxlength="500")
    assert page.all("input", name="name", maxlength="50")
    assert page.all("input", name="email", type="email", maxlength="100")
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {"content", "name", "email"}


def test_what_was_sent_is_redirected_thanked_for_and_shown_escaped(
    visit: Visit, ask: Callable[..., Any]
) -> None:
    visitor = visit()
    answer = visitor.send("/feedback", **GOOD)

    assert answer.status_code == 303
    place = answer.headers["Location"]
    key = place.removeprefix("/feedback?sent=")
    page = visitor.get(place)
    assert page.status_code == 200
    assert f"it is number {key}" in page.text
    assert "Fine &amp; &lt;b&gt;fast&lt;/b&gt;\nand 👍" in page.text
    assert "Ada &lt;i&gt;" in page.text
    assert "ada@example.com" not in page.text
    assert ask("SELECT email FROM feedback WHERE id = :k", k=key) == [("ada@example.com",)]


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
    visit: Visit, change: dict[str, str], wrong: set[str]
) -> None:
    typed = GOOD | {"name": 'Ada "quote" <i>'} | change
    answer = visit().send("/feedback", **typed)

    assert answer.status_code == 422
    page = Markup(answer.text)
    assert page.faults() == []
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
def test_a_body_that_is_no_form_is_an_empty_form(visit: Visit, kind: str) -> None:
    visitor = visit()
    headers = {"X-CSRFToken": visitor.token()}
    answer = visitor.client.post("/feedback", data=b"{}", content_type=kind, headers=headers)

    assert answer.status_code == 422


def test_bytes_that_are_no_text_do_no_harm(visit: Visit) -> None:
    body = b"content=%ED%A0%80%FF&name=%00&email=a%40b"
    visitor = visit()

    answer = visitor.client.post(
        "/feedback",
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-CSRFToken": visitor.token()},
    )

    assert answer.status_code == 422


def test_a_form_too_large_is_refused(visit: Visit) -> None:
    answer = visit().send("/feedback", **GOOD | {"content": "c" * 70_000})

    assert answer.status_code == 413


def test_older_feedback_is_reached_page_by_page(visit: Visit) -> None:
    visitor = visit()
    newest = visitor.get("/feedback").text
    (link,) = Markup(newest).all("a", rel="next")
    assert link["href"]
    older = visitor.get(link["href"])

    assert older.status_code == 200
    assert "Earlier feedback" in older.text
    moments = [a["datetime"] for p in (newest, older.text) for a in Markup(p).all("time")]
    assert len(moments) == len(set(moments)) == 20
    assert moments == sorted(moments, key=str, reverse=True)


@pytest.mark.parametrize("sent", ["x", "9" * 5000, "", "-1e9", "<script>"])
def test_a_made_up_receipt_does_no_harm(visit: Visit, sent: str) -> None:
    page = visit().get("/feedback", sent=sent)

    assert page.status_code == 200
    assert "Thank you" not in page.text


def test_pages_keep_to_themselves(visit: Visit) -> None:
    visitor = visit()
    for answer in (visitor.get("/feedback"), visitor.get("/x")):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        page = Markup(answer.text)
        assert not page.all("script")
        assert all("style" not in attributes for _, attributes in page.tags)
        for sheet in page.all("link"):
            assert visitor.get(str(sheet["href"])).status_code == 200
