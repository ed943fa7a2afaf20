"""The engine's user on this client."""

from __future__ import annotations

from typing import Any, ClassVar

from gevent.pool import Group
from locust import User

from loadtests.generator.client.session import Session
from loadtests.generator.sending import Sending


class LoadUser(User):
    """A virtual user whose ``client`` is a :class:`~loadtests.generator.client.Session`.

    In a locustfile::

        from loadtests.generator.client import LoadUser
        from locust import between, task

        class Reader(LoadUser):
            wait_time = between(1, 5)

            @task
            def read(self):
                page = self.client.get("/articles?page=1", check=lambda r: wrong_with(r.json()))
                if page.ok:
                    self.client.get(f"/articles/{page.json()[0]}", name="/articles/{id}")

    Other than with the engine's own users a status other than 200 (or `expect`) is a failure,
    redirects are not followed unless asked for, certificates are checked, and a request
    that fails raises nothing.
    """

    abstract = True
    sending: ClassVar[Sending]
    """Set by the generator before there are users."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        if not hasattr(self, "sending"):
            raise RuntimeError(
                f"{type(self).__name__}: a LoadUser records to Trueload: start it with "
                "trueload run --locustfile, or make it a FastHttpUser to run it with locust alone"
            )
        self.client = Session(self.sending, self)

    def start(self, group: Group) -> Any:
        """Start the user; its connections end with it."""
        greenlet = super().start(group)
        greenlet.link(lambda _: self.client.close())
        return greenlet
