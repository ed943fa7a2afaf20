"""What is asked of two servers that must answer the same, and how their answers are compared."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.accounts import bearer
from tests.support.visitor import Visitor

_SHOWN = ("ETag", "Location", "Retry-After", "WWW-Authenticate", "Allow", "Idempotency-Replayed")
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_NUMBER = re.compile(r"\bN-[0-9A-F]{16}\b")
_CURSOR = re.compile(r"(?<=after=)[A-Za-z0-9_%-]+")
_CUSTOMER = re.compile(r"(?<=customers/)[0-9]{1,19}\b|(?<=^Customer )[0-9]{1,19}\b")
_OF_CUSTOMERS = re.compile(r"/api/v1/(customers(/[0-9]+)?|search|suggest)(\?|$)")
_TOKEN = re.compile(r'(?<=name="csrf_token" value=")[^"]+')
_TIME = re.compile(r"<time[^>]*>.*?</time>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, of somebody."""

    name: str
    who: str
    method: str
    path: str
    """Names in braces stand for ids: of the dataset, or of what was kept before."""
    body: Any = None
    """JSON; bytes are sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: str | None = None
    """Under which name to keep the id of what is created."""
    pages: int = 0
    """How many more pages of a list to turn."""
    form: Mapping[str, str] | None = None
    """Fields of a form of the pages; sent with the token of the session."""


class Side:
    """
    One of the two.

    Parameters
    ----------
    app : Flask
        Over its database.
    people : mapping of str to mapping
        Accounts by the names that asks have for them.
    ids : mapping of str to int
        What names in braces stand for.
    began : str
        The moment from which on what is written is written by the test.
    """

    def __init__(
        self,
        app: Flask,
        people: Mapping[str, Mapping[str, Any]],
        ids: Mapping[str, int],
        began: str,
    ) -> None:
        self._client = app.test_client()
        self._visitor = Visitor(app)
        self._people = people
        self._ids = dict(ids)
        self._began = began
        # A refused insert takes a number on PostgreSQL, and none on SQLite: new customers are
        # compared by which of them they are.
        self._new_customers: dict[int, str] = {}
        self._created = 0
        self._of_customers = False

    def answer(self, ask: Ask, number: int) -> list[dict[str, Any]]:
        """
        Ask, and turn pages where that is wanted.

        Parameters
        ----------
        ask : Ask
            What.
        number : int
            Its place in the order, which makes the id of the request.

        Returns
        -------
        list of dict
            Each answer as it is compared.
        """
        answer = self._send(ask, ask.path.format_map(self._ids), number)
        answers = [self._comparable(answer)]
        if ask.keep is not None:
            self._ids[ask.keep] = json.loads(answer.text)["id"]
        for _ in range(ask.pages):
            link = answer.headers.get("Link")
            if link is None:
                break
            answer = self._send(ask, link[1 : link.index(">")], number)
            answers.append(self._comparable(answer))
        return answers

    def _send(self, ask: Ask, path: str, number: int) -> TestResponse:
        self._of_customers = _OF_CUSTOMERS.match(path) is not None
        headers = {"X-Request-Id": f"parity-{number}", **ask.headers}
        if ask.form is not None:
            fields = {"csrf_token": self._visitor.token(), **ask.form}
            return self._visitor.client.post(path, data=fields, headers=headers)
        if ask.who in self._people:
            headers["Authorization"] = bearer(self._people[ask.who])
        data = ask.body
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
            if not isinstance(data, bytes):
                # A text that is no more than a name in braces stands for an id as well.
                data = json.dumps(self._filled(data)).encode()
        return self._client.open(path, method=ask.method, data=data, headers=headers)

    def _filled(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {name: self._filled(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self._filled(each) for each in body]
        if isinstance(body, str) and body[:1] == "{" and body[1:-1] in self._ids:
            return self._ids[body[1:-1]]
        return body

    def _comparable(self, answer: TestResponse) -> dict[str, Any]:
        """Give an answer without what must differ: moments and numbers made while answering."""
        if answer.status_code == 201 and self._of_customers:
            self._note_customer(json.loads(answer.text)["id"], answer)
        shown = {name: answer.headers.get(name) for name in (*_SHOWN, "Link")}
        headers = {
            name: _CUSTOMER.sub(self._which, _CURSOR.sub(self._cursor_in_link, value))
            for name, value in shown.items()
            if value is not None
        }
        text = answer.text
        if (answer.mimetype or "").endswith("json") and text:
            body = self._plain(json.loads(text))
        else:
            body = _CURSOR.sub(self._cursor_in_link, _TIME.sub("", _TOKEN.sub("", text)))
        return {
            "status": answer.status_code,
            "type": answer.headers.get("Content-Type"),
            "headers": headers,
            "body": body,
        }

    def _plain(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {each: self._plain(inner, each) for each, inner in value.items()}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        if isinstance(value, int) and self._names_customer(name):
            return self._new_customers.get(value, value)
        if not isinstance(value, str):
            return value
        if name == "next":
            return self._cursor(value)
        return _CUSTOMER.sub(self._which, _NUMBER.sub("<number>", self._moment(value)))

    def _note_customer(self, key: int, answer: TestResponse) -> None:
        if "Idempotency-Replayed" not in answer.headers:
            self._created += 1
            self._new_customers[key] = f"<customer {self._created}>"

    def _names_customer(self, name: str) -> bool:
        """Tell whether a member, or a part of a cursor, is a customer's id."""
        return name == "customer_id" or (name in {"id", ""} and self._of_customers)

    def _which(self, found: re.Match[str]) -> str:
        return self._new_customers.get(int(found[0]), found[0])

    def _moment(self, text: str) -> str:
        written = _MOMENT.fullmatch(text) is not None and self._began <= text < "2099"
        return "<written>" if written else text

    def _cursor_in_link(self, found: re.Match[str]) -> str:
        return self._cursor(found[0])

    def _cursor(self, cursor: str) -> str:
        """Open a cursor: it holds moments."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return json.dumps(self._plain(json.loads(base64.urlsafe_b64decode(padded))))
        except (ValueError, binascii.Error):
            return cursor
