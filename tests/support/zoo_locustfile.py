"""Somebody's Locust users that do everything that such users do."""

from __future__ import annotations

import time
from typing import Any

from locust import FastHttpUser, HttpUser, TaskSet, constant, events, task
from locust.clients import HttpSession

from loadtests.generator.client import LoadUser


@events.init_command_line_parser.add_listener
def _(parser: Any) -> None:
    parser.add_argument("--colour", default="green")


@events.init.add_listener
def _(environment: Any, **_: Any) -> None:
    """Log in once for all, before the start."""
    session = HttpSession(environment.host, environment.events.request, None)
    assert session.get("/ok/login").status_code == 200


@events.init.add_listener
def _(**_: Any) -> None:
    raise LookupError("a listener that fails")


class Zoo(TaskSet):
    @task
    def plain(self) -> None:
        self.client.get("/ok?page=1")
        self.client.get("/ok", name="named")
        with self.client.rename_request("grouped"):
            self.client.get("/ok/7")
        self.client.request("GET", "/ok/positional", "by position")
        self.client.post("/ok/post", json={"a": 1})
        self.client.get(f"{self.user.host}/ok/absolute?x=1")

    @task
    def statuses(self) -> None:
        self.client.get("/status/404")
        self.client.get("/status/429")
        self.client.get("/status/503")

    @task
    def caught(self) -> None:
        with self.client.get("/status/410", catch_response=True) as response:
            response.success()
        with self.client.get("/ok/wrong", catch_response=True) as response:
            response.failure("not what I asked for")
        with (
            self.client.get("/ok/outer", catch_response=True) as outer,
            self.client.get("/ok/inner", catch_response=True) as inner,
        ):
            inner.success()
            outer.success()

    @task
    def raising(self) -> None:
        with self.client.get("/ok/raises", catch_response=True) as response:
            response.json()["nothing of that name"]

    @task
    def forgotten(self) -> None:
        self.client.get("/ok/forgotten", catch_response=True)

    @task
    def elsewhere(self) -> None:
        self.client.get("/redirect")
        self.client.get("/away")

    @task
    def broken(self) -> None:
        self.client.get("/broken")
        self.client.get("/drop")
        self.client.get("/latin")

    @task
    def rested(self) -> None:
        time.sleep(0.3)
        self.client.get("/ok/rested")

    @task
    def own_protocol(self) -> None:
        assert self.user.environment.parsed_options.colour == "green"
        self.user.environment.events.request.fire(
            request_type="MQTT",
            name="publish",
            response_time=12.5,
            response_length=3,
            response=None,
            context={},
            exception=None,
            start_time=time.time(),
        )


class Requests(HttpUser):
    tasks = [Zoo]  # noqa: RUF012 - as people write it
    wait_time = constant(0.01)


class Fast(FastHttpUser):
    tasks = [Zoo]  # noqa: RUF012 - as people write it
    wait_time = constant(0.01)


class Loader(LoadUser):
    wait_time = constant(0.01)

    @task
    def everything(self) -> None:
        client = self.client
        client.get("/ok?page=1")
        client.get("/ok/7", name="named")
        client.post("/ok/post", json={"a": 1}, name="posted")
        for status in (404, 429, 503):
            client.get(f"/status/{status}")
        client.get("/status/410", expect={200, 410})
        client.get("/ok/wrong", check=lambda _: "not what I asked for")
        client.get("/ok/raises", check=lambda response: response.json()["nothing of that name"])
        assert client.get("/redirect", allow_redirects=True).ok
        assert client.get("/away", allow_redirects=True).status == 302
        assert client.get("/broken").error == "closed: in the body"
        assert client.get("/drop").error == "closed: before an answer"
        assert "\ufffd" in client.get("/latin").text
