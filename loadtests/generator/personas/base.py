"""What all personas share: their think times, their choice of steps, their checks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, ClassVar

from locust import FastHttpUser, task

from loadtests.generator.accounts import Account, Accounts
from loadtests.generator.personas.records import Products
from loadtests.generator.personas.walk import Walk
from scenarios.personas import Persona

API = "/api/"
OK = 200
CREATED = 201
SEE_OTHER = 303


class PersonaUser(FastHttpUser):
    """A virtual user: somebody with an account, who repeats a persona's steps, drawn by weight.

    A step is a method of the persona's name for it; think times are a truncated
    exponential, the first one uniform on (0, 2 Z).
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
        self.account: Account = self.accounts.take(self.persona.role)
        cls = type(self)
        cls._count += 1
        self.number = cls._count
        self.rng = random.Random(f"{self.seed}-{self.number}")  # noqa: S311 - load, not secrets
        self._walk = Walk(self.persona, self.rng)

    def on_start(self) -> None:
        """Think once before the first click, so that users do not start in step."""
        self.wait()

    def on_stop(self) -> None:
        """Leave the account to whoever comes next."""
        self.accounts.give_back(self.account)

    def wait_time(self) -> float:
        """Draw a think time.

        Returns
        -------
        float
            Seconds.
        """
        self._walk.go_on()
        return self._walk.think_s() * self.think_scale

    @task
    def click(self) -> None:
        """Do one step."""
        self.perform(self._walk.step)

    def perform(self, step: str) -> None:
        """Do a step, whatever was done before.

        Parameters
        ----------
        step : str
            One of the persona's.
        """
        getattr(self, step)()

    def fetch(
        self,
        path: str,
        *,
        name: str,
        check: Callable[[Any], str | None],
        expect: int = OK,
        method: str = "GET",
        **options: Any,
    ) -> Any:
        """Send one request and check what came back.

        Parameters
        ----------
        path : str
            Path and query.
        name : str
            Endpoint, with placeholders.
        check : callable
            Given the parsed body (JSON, else text), says what is wrong, or None.
        expect : int
            The status that is right.
        method : str
            HTTP method.
        **options
            As the engine's client takes them.

        Returns
        -------
        object
            The parsed body; None when the answer is not what it should be.
        """
        if path.startswith(API):  # pages have sessions
            token = {"Authorization": f"Bearer {self.account.token}"}
            options["headers"] = {**token, **options.get("headers", {})}
        with self.client.request(
            method, path, name=name, catch_response=True, allow_redirects=False, **options
        ) as response:
            if response.status_code != expect:
                response.failure(f"status {response.status_code} instead of {expect}")
                return None
            body = _parsed(response)
            wrong = "the body does not parse" if body is None else check(body)
            if wrong:
                response.failure(wrong)
                return None
            response.success()
            return body


def _parsed(response: Any) -> Any:
    """Parse a body: JSON, the Location of a redirect, else text; None when it does not parse."""
    if response.status_code == SEE_OTHER:
        return response.headers.get("location") or ""
    try:
        if "json" in (response.headers.get("content-type") or ""):
            return response.json()
        return (response.content or b"").decode()
    except ValueError:
        return None


def is_page(body: Any, **same: Any) -> str | None:
    """Check a page of a listing.

    Parameters
    ----------
    body : object
        Parsed JSON.
    **same : object
        What must stand in every item.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        return "no list of items"
    for item in body["items"]:
        for name, value in same.items():
            if not isinstance(item, dict) or item.get(name) != value:
                return f"an item of another {name} came"
    return None


def has(record: Any, **values: Any) -> str | None:
    """Check a record.

    Parameters
    ----------
    record : object
        Parsed JSON.
    **values : object
        What must stand in it.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(record, dict):
        return "no record"
    wrong = [name for name, value in values.items() if record.get(name) != value]
    return f"another {wrong[0]} came back" if wrong else None
