"""Users of the queue of known truth: one request to ``/synthetic`` a click.

A locustfile like any other, for scenarios that hold measurements against theory: M/M/4 where
arrivals are Poisson. The mean service time is the target's (``target.options``).
"""

from __future__ import annotations

from typing import Any

from locust import task

from loadtests.generator.client import LoadUser

PATH = "/synthetic?dist=exp&servers=4"


class Customer(LoadUser):
    """Waits in the queue, and is served."""

    @task
    def wait_in_queue(self) -> None:
        """Take a place, and see that the queue says what became of it."""
        self.client.get(PATH, name="/synthetic", check=lambda answer: _wrong(answer.json()))


def _wrong(told: Any) -> str | None:
    if not isinstance(told, dict) or told.keys() != {"wait_ms", "service_ms", "seq"}:
        return "the queue does not say what became of the request"
    return None
