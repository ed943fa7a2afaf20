"""What all personas share: their way through the journey, their sessions, their checks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gevent
from gevent.pool import Group
from locust import task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from loadtests.generator.accounts import Account, Accounts
from loadtests.generator.client import LoadUser, Response
from loadtests.generator.client.cookies import CookieJar
from loadtests.generator.personas.checks import Written, follows, is_page, is_refusal
from loadtests.generator.personas.records import Products
from loadtests.generator.personas.walk import walk_of
from scenarios.personas import START, Persona

API = "/api/"
OK, CREATED, SEE_OTHER = 200, 201, 303
CONFLICT, PRECONDITION_FAILED = 409, 412

NEXT_PAGE_SHARE = 0.2
"""How often who lists something goes on to the next page."""

_LOOK_S = 0.05
_EXPORTED_PAGES = 3
_EXPORTED_AT_ONCE = 200

Check = Callable[[Any], str | None]
"""Given the parsed body (JSON, else text), says what is wrong, or None."""


class PersonaUser(LoadUser):
    """A virtual user: somebody with an account, who goes through a persona's journey.

    A step is a method of the persona's name for it, and one click. A session ends where
    the journey does: the next one begins without cookies and without a memory.
    """

    abstract = True
    persona: ClassVar[Persona]
    persona_name: ClassVar[str]
    think_scale: ClassVar[float]
    accounts: ClassVar[Accounts]
    products: ClassVar[Products]
    run_id: ClassVar[str]
    seed: ClassVar[str]
    _count: ClassVar[int] = 0

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        cls = type(self)
        cls._count += 1
        self.number = cls._count
        self.rng = random.Random(f"{self.seed}-{self.number}")  # noqa: S311 - load, not secrets
        self._walk = walk_of(self.persona, self.seed, self.number)
        self._account: Account | None = None
        self._token: dict[str, str] = {}
        if self.accounts.count(self.persona.role):
            self._sign()
        self.forget()

    @property
    def account(self) -> Account:
        """Who it is.

        Raises
        ------
        RuntimeError
            When it has no account yet: its tasks begin when it has.
        """
        if self._account is None:
            raise RuntimeError("a virtual user without an account")
        return self._account

    def _sign(self) -> None:
        self._account = self.accounts.take(self.persona.role)
        self._token = {"Authorization": f"Bearer {self._account.token}"}

    def start(self, group: Group) -> Any:
        """Start the user; however it ends, its account is whoever's comes next."""
        greenlet = super().start(group)
        greenlet.link(lambda _: self._leave())
        return greenlet

    def _leave(self) -> None:
        if self._account is not None:
            self.accounts.give_back(self._account)
            self._account = None

    def on_start(self) -> None:
        """Wait for an account where users that should have left still have theirs.

        Whoever waits counts as starting, not as running: the load is not delivered.

        Raises
        ------
        StopUser
            When it is asked to leave meanwhile.
        """
        while self._account is None:
            self.sending.warn(
                "accounts_short",
                f"no free account of the role {self.persona.role} was left: users that were "
                f"asked to leave are still in a request, and others wait for their accounts",
            )
            gevent.sleep(_LOOK_S)
            if self._state == LOCUST_STATE_STOPPING:
                raise StopUser
            if self.accounts.count(self.persona.role):
                self._sign()

    # the journey

    def forget(self) -> None:
        """Begin a session: without cookies, and not knowing of anything."""
        self.client.cookies = CookieJar()

    def wait_time(self) -> float:
        """Go on in the journey, and draw the think time before the next click.

        Returns
        -------
        float
            Seconds.
        """
        sessions = self._walk.sessions
        self._walk.go_on()
        if self._walk.sessions > sessions > 0:
            self.forget()
        return self._walk.think_s() * self.think_scale

    @task
    def click(self) -> None:
        """Do the next step; think before the first one, so that users do not start in step."""
        if self._walk.step == START:
            self.wait()
        user = self.sending.user_of(self)
        self.sending.recorder.begin_transaction(user, user.intended_ns, self._walk.step)
        self.perform(self._walk.step)

    def perform(self, step: str) -> None:
        """Do a step, whatever was done before.

        What it needs to know and nobody has seen yet is asked for first.

        Parameters
        ----------
        step : str
            One of the persona's.
        """
        getattr(self, step)()

    # requests

    def fetch(
        self,
        path: str,
        *,
        name: str,
        check: Check,
        expect: int = OK,
        unless: tuple[int, ...] = (),
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request and check what came back.

        Parameters
        ----------
        path : str
            Path and query; what lies under ``/api/`` gets the account's token.
        name : str
            Endpoint, with placeholders.
        check : callable
            Says what is wrong with the parsed body (JSON, the address of a redirect, else
            text), or None.
        expect : int
            The status that is right.
        unless : tuple of int
            Refusals that are right as well.
        method : str
            HTTP method.
        headers : mapping of str to str, optional
            Beside the token.
        json : object
            Sent as JSON.
        data : mapping of str to str, optional
            Sent as a form.

        Returns
        -------
        object
            The parsed body; None when it is a refusal, or not what it should be.
        """
        if path.startswith(API):
            headers = {**self._token, **headers} if headers else self._token
        body: Any = None

        def judge(response: Response) -> str | None:
            nonlocal body
            parsed = _parsed(response)
            if response.status in unless:
                return is_refusal(parsed, response.status)
            wrong = "the body does not parse" if parsed is None else check(parsed)
            body = None if wrong else parsed
            return wrong

        self.client.request(
            method,
            path,
            name=name,
            headers=headers,
            json=json,
            data=data,
            expect=(expect, *unless) if unless else expect,
            check=judge,
        )
        return body

    def tag(self) -> str:
        """Make a text that nobody else writes in this run."""
        return f"{self.run_id}-{self.seed}-{self.number}-{self.rng.getrandbits(48):012x}"

    def export(self, path: str, *, moment: str) -> None:
        """Read the newest records of a list, in three large pages, as a script would.

        Parameters
        ----------
        path : str
            Of the list.
        moment : str
            The field by which it is ordered.
        """
        last: Written | None = None
        address = f"{path}?limit={_EXPORTED_AT_ONCE}"
        for _ in range(_EXPORTED_PAGES):
            page = self._next_page(address, path, moment, last)
            if not page or not page.get("next") or not page["items"]:
                return
            last = (page["items"][-1][moment], page["items"][-1]["id"])
            address = f"{path}?limit={_EXPORTED_AT_ONCE}&after={page['next']}"

    def _next_page(self, address: str, path: str, moment: str, before: Written | None) -> Any:
        return self.fetch(
            address,
            name=path,
            check=lambda body: is_page(body) or follows(body["items"], moment, before),
        )


def _parsed(response: Response) -> Any:
    """Parse a body: JSON, the Location of a redirect, else text; None when it does not parse."""
    if response.status == SEE_OTHER:
        return response.headers.get("location", "")
    try:
        if "json" in response.headers.get("content-type", ""):
            return response.json()
        return response.content.decode()
    except ValueError:
        return None
