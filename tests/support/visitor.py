"""Somebody at the pages: a client with a session, who sends the forms that it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.markup import Markup


class Visitor:
    """
    A browser as far as the server can tell.

    With an account it is signed in already: hashing a password takes a tenth of a second.
    """

    def __init__(self, app: Flask, account: Mapping[str, Any] | None = None) -> None:
        self.client = app.test_client()
        self.account = account
        if account is not None:
            with self.client.session_transaction() as session:
                session["user_id"] = account["id"]

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, query_string=query or None, headers={"Accept": "text/html"})

    def see(self, path: str, **query: Any) -> Markup:
        """A page that must be there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (path, answer.status, answer.text[:2000])
        return Markup(answer.text)

    def token(self) -> str:
        """The token of a form on a page that everybody may see."""
        token = Markup(self.get("/feedback").text).all("input", name="csrf_token")[0]["value"]
        assert token
        return token

    def send(self, path: str, token: str | None = None, **fields: Any) -> TestResponse:
        """Send a form, with the token of this session unless another one is given."""
        given = self.token() if token is None else token
        return self.client.post(
            path, data={"csrf_token": given, **fields}, headers={"Accept": "text/html"}
        )

    def sign_in(self, email: str, password: str, **more: Any) -> TestResponse:
        return self.send("/login", email=email, password=password, **more)


def queries(answer: TestResponse) -> int:
    """How many statements an answer took."""
    found = re.search(r'queries;desc="(\d+)"', answer.headers["Server-Timing"])
    assert found
    return int(found[1])
