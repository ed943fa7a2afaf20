"""A tourist: goes through a running CRM as accounts of every role, over HTTP."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import requests

from tests.support.crm_server import CrmServer

_TIMEOUT_S = 20
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

Json = dict[str, Any]


class Tourist:
    """
    Asks a server as any account; records that a visit needs are made when it needs them.

    Parameters
    ----------
    server : CrmServer
        Serves a copy of the dataset.
    people : mapping of str to mapping
        An account of each role; sales and portal are those of the customer below.
    password : str
        Of every account.
    ids : mapping of str to int
        A customer with everything, and one of another rep.
    """

    def __init__(
        self,
        server: CrmServer,
        people: Mapping[str, Mapping[str, Any]],
        password: str,
        ids: Mapping[str, int],
    ) -> None:
        self.ids = ids
        self._server = server
        self._people = people
        self._password = password
        self._sessions: dict[str, requests.Session] = {}
        self._numbers = itertools.count(1)
        self.acknowledged: list[str] = []
        """Ids of the requests that wrote something, by the answers that they got."""
        self._makers: Mapping[str, Callable[[], Any]] = {
            "email": lambda: f"tour{next(self._numbers)}@tour.example",
            "removable": lambda: self._make("customers", name="R", email=self.fill("{email}")),
            "own": lambda: self._make(
                "customers", name="O", email=self.fill("{email}"), owner_id=ids["owner"]
            ),
            "new_order": self._order,
            "rich": self._rich,
            "new_feedback": lambda: self._make(
                "feedback", content="C", name="N", email="n@tour.example"
            ),
        }

    def close(self) -> None:
        """Let go of every connection."""
        for session in self._sessions.values():
            session.close()

    def fill(self, template: Any) -> Any:
        """
        Put ids for the names in braces.

        Parameters
        ----------
        template : object
            A text, or an object or a list that holds some; a text that is no more than a name in
            braces becomes a number where that is one.
        """
        if isinstance(template, Mapping):
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(each) for each in template]
        if not isinstance(template, str):
            return template
        if re.fullmatch(r"\{\w+\}", template):
            return self._named(template[1:-1])
        return re.sub(r"\{(\w+)\}", lambda found: str(self._named(found[1])), template)

    def ask(
        self,
        who: str | None,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """
        Send a request to the API.

        Parameters
        ----------
        who : str or None
            A role; None for nobody.
        method, path : str
            What; names in braces are filled in.
        body : object
            JSON, filled in too; bytes are sent as they are.
        headers : mapping of str to str, optional
            More of them.
        """
        identifier = f"tour-{next(self._numbers)}"
        given = {"X-Request-Id": identifier, **(headers or {})}
        if who is not None:
            given["Authorization"] = f"Bearer {self._people[who]['token']}"
        sent = {"data": body} if isinstance(body, bytes) else {"json": self.fill(body)}
        if isinstance(body, bytes):
            given.setdefault("Content-Type", "application/json")
        answer = self._session("api").request(
            method,
            self._server.url + self.fill(path),
            headers=given,
            timeout=_TIMEOUT_S,
            allow_redirects=False,
            **(sent if body is not None else {}),
        )
        writes = method not in {"GET", "HEAD"} and not path.endswith("_audit")
        if writes and answer.ok and "Idempotency-Replayed" not in answer.headers:
            self.acknowledged.append(identifier)
        return answer

    def see(self, who: str | None, path: str) -> requests.Response:
        """
        Open a page, signed in as a role or as nobody.

        Parameters
        ----------
        who : str or None
            A role; None for nobody.
        path : str
            Which.
        """
        return self.browser(who).get(
            self._server.url + self.fill(path),
            headers={"Accept": "text/html"},
            timeout=_TIMEOUT_S,
            allow_redirects=False,
        )

    def send(
        self, who: str | None, path: str, fields: Mapping[str, Any], token: str | None = None
    ) -> requests.Response:
        """
        Send a form, with the token of the session unless another one is given.

        Parameters
        ----------
        who : str or None
            A role; None for nobody.
        path : str
            Where.
        fields : mapping of str to object
            What is typed.
        token : str, optional
            Instead of the right one.
        """
        identifier = f"tour-{next(self._numbers)}"
        answer = self.browser(who).post(
            self._server.url + self.fill(path),
            data={"csrf_token": self.token(who) if token is None else token, **self.fill(fields)},
            headers={"Accept": "text/html", "X-Request-Id": identifier},
            timeout=_TIMEOUT_S,
            allow_redirects=False,
        )
        led = answer.headers.get("Location", "/login")
        if path != "/login" and not led.startswith("/login"):
            self.acknowledged.append(identifier)
        return answer

    def token(self, who: str | None) -> str:
        """
        Give the token that the forms of a session hold.

        Parameters
        ----------
        who : str or None
            Whose.
        """
        page = self._session(f"page of {who}").get(
            f"{self._server.url}/feedback", timeout=_TIMEOUT_S
        )
        found = _TOKEN.search(page.text)
        assert found
        return found[1]

    def browser(self, who: str | None) -> requests.Session:
        """
        Give the session of a role, signed in by its form when it is first asked for.

        Parameters
        ----------
        who : str or None
            A role; None for nobody.
        """
        name = f"page of {who}"
        if who is not None and name not in self._sessions:
            fields = {"email": self._people[who]["email"], "password": self._password}
            self._session(name)
            answer = self.send(who, "/login", fields)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/"), answer.text
        return self._session(name)

    def _session(self, name: str) -> requests.Session:
        if name not in self._sessions:
            self._sessions[name] = requests.Session()
            self._sessions[name].trust_env = False
        return self._sessions[name]

    def _named(self, name: str) -> Any:
        if name.startswith("missing_"):
            return 2**63 - 1
        return self._makers[name]() if name in self._makers else self.ids[name]

    def _make(self, resource: str, **body: Any) -> int:
        answer = self.ask("admin", "POST", f"/api/v1/{resource}", body)
        assert answer.status_code == 201, answer.text
        identifier: int = answer.json()["id"]
        return identifier

    def _order(self) -> int:
        items = [{"product_id": 1, "qty": 100}]
        return self._make("orders", customer_id=self.ids["customer"], items=items)

    def _rich(self) -> int:
        """Give the customer, who has earned points by then."""
        self._order()
        return self.ids["customer"]
