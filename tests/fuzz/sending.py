"""Cases are sent to a server, and what it answers is held against the document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.cases import Plan, Planned

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
UNSAYABLE = re.compile(
    r"is no \w+( \w+)* that exists|is nobody who answers|"  # what does not exist
    r"must be your own|is required: a sales rep|"  # what depends on who asks
    r"must be the `next`|was used for another request|"  # what depends on what was asked before
    r"must not be after|must not be before"  # what depends on another member
)
"""What is refused although it fits the document, because no schema can say it."""

_TIMEOUT_S = 15


@dataclass(slots=True)
class Tally:
    """What came of the cases."""

    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many by operation and class of status."""
    statuses: Counter[int] = field(default_factory=Counter)
    unsendable: int = 0
    """Cases that no client can write down: a line break in a header."""
    failures: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many were sent."""
        return sum(self.answered.values())

    def count(self, name: str, status: int | None) -> None:
        """
        Count one case.

        Parameters
        ----------
        name : str
            Its operation.
        status : int or None
            How it was answered; None when its connection was closed.
        """
        answered = "closed" if status is None else f"{status // 100}xx"
        self.answered[name, answered] += 1
        if status is not None:
            self.statuses[status] += 1


class Sender:
    """
    Sends cases with the tokens of a dataset.

    Parameters
    ----------
    url : str
        Of the server.
    tokens : mapping of str to str
        By sender; those who are none have no token.
    plan : Plan
        Where the cases come from.
    """

    def __init__(self, url: str, tokens: Mapping[str, str], plan: Plan) -> None:
        self._url = url
        self._tokens = tokens
        self._plan = plan
        self._cursors: dict[str, str] = {}
        self.tally = Tally()

    def send_all(self, planned: Sequence[Planned]) -> None:
        """
        Send cases one after the other, and what follows from those that made a record.

        Parameters
        ----------
        planned : sequence of Planned
            The cases.
        """
        with requests.Session() as session:
            for each in planned:
                answer = self._send(session, each)
                if answer is None or answer.status_code != 201:
                    continue
                identifier = json.loads(answer.content)["id"]
                for following in self._plan.following(_name(each), identifier):
                    self._send(session, following)

    def _send(self, session: requests.Session, planned: Planned) -> Response | None:
        """Send one case, and hold the answer against the document."""
        case, name = planned.case, _name(planned)
        if name in self._cursors and case.query is not None and "after" in case.query:
            case.query["after"] = self._cursors.pop(name)
        token = self._tokens.get(planned.sender)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            answer = case.call(
                base_url=self._url, session=session, headers=headers, timeout=_TIMEOUT_S
            )
        except (requests.exceptions.InvalidHeader, UnicodeError):
            self.tally.unsendable += 1
            return None
        self.tally.count(name, answer.status_code)
        self._check(planned, answer)
        self._keep_cursor(name, answer)
        return answer

    def _check(self, planned: Planned, answer: Response) -> None:
        """Note what the answer has against it."""
        try:
            planned.case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(planned, answer, f"{failure.title}: {failure.message}")
        if planned.fits and answer.status_code in {400, 415, 422}:
            problem = json.loads(answer.content)
            said = [error["message"] for error in problem["errors"]] or [problem["detail"]]
            if not all(map(UNSAYABLE.search, said)):
                self._note(planned, answer, f"it fits the document, and is refused: {said}")

    def _note(self, planned: Planned, answer: Response, what: str) -> None:
        # The token is not among the case's own headers, so it does not stand here either.
        curl = planned.case.as_curl_command(base_url=self._url)
        self.tally.failures.append(
            f"{_name(planned)} as {planned.sender}: {answer.status_code}: {what}\n"
            f"  {curl} -H 'Authorization: Bearer TOKEN'"
        )

    def _keep_cursor(self, name: str, answer: Response) -> None:
        """Remember where a list goes on, for a later case."""
        if answer.status_code == 200 and "link" in answer.headers:
            self._cursors[name] = json.loads(answer.content)["next"]


def _name(planned: Planned) -> str:
    raw: dict[str, Any] = planned.case.operation.definition.raw
    name: str = raw["operationId"]
    return name
