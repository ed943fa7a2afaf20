"""Asks the CRM, after the load and before it is stopped, which of the run's writes it has stored.

Whatever goes wrong here is told and changes nothing else: a run whose target cannot be asked
is judged by what was recorded.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from analysis.recording.audit import (
    FOUND_SCHEMA,
    Audit,
    Invariants,
    sent_writes,
    write_audit,
    write_found,
)
from analysis.recording.format import MANIFEST
from loadtests.connecting import connection_to
from loadtests.patience import Patience
from loadtests.permission import headers_of
from loadtests.target import Target
from scenarios.model import Scenario

PATIENCE_S = 30.0
"""How long an audit may take as a whole, and..."""

MORE_S = 1.0
"""...how much longer for each answer to `IDS_AT_ONCE`: a million writes take their time."""

HURRIED_S = 5.0
"""How long it may still take after Ctrl-C; a second one ends it at once."""

IDS_AT_ONCE = 5000
"""As many as the CRM takes in one question."""

_PATH = "/api/v1/_audit"
_ROLES = ("admin", "manager")
_OK, _BUSY = 200, 503
_REFUSALS = {
    401: "the target does not know the audit's account",
    403: "the target does not let the audit's account ask",
    404: "the target has no audit: its server is not in test mode",
}
_SOMETHING_ELSE = "the audit answered something else"
_PAUSE_S = 0.2
_HEARS_EVERY_S = 0.1
_BROKEN_MOST = 3  # connections in a row


class Unanswered(Exception):  # noqa: N818 - reads as what happened
    """The target could not be asked, or did not answer; says why."""


def audit(
    folder: Path,
    system: Target,
    scenario: Scenario,
    *,
    patience_s: float = PATIENCE_S,
    interrupts: Callable[[], int] = lambda: 0,
) -> dict[str, Any] | None:
    """Ask a target how often it has stored each write of a run; leaves it in the run folder.

    Parameters
    ----------
    folder : Path
        The run folder; its generators have ended.
    system : Target
        Not yet stopped.
    scenario : Scenario
        What is sent with every request.
    patience_s : float
        How long all of it may take, in seconds; `MORE_S` longer for each part that is answered.
    interrupts : callable
        How often Ctrl-C was pressed so far.

    Returns
    -------
    dict or None
        As ``goodput.json`` holds it; None when it could not be written.
    """
    began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
    patience = Patience(patience_s, hurried_s=HURRIED_S, interrupts=interrupts)
    try:
        why, invariants = _ask(folder, system, scenario, patience)
        found = Audit(
            why=why,
            fresh=system.facts.get("app") == "crm",
            asked_at=at,
            duration_s=round(time.monotonic() - began, 3),
            invariants=invariants,
        )
        write_audit(folder, found)
    except OSError:
        return None
    return found.as_dict()


def _ask(
    folder: Path, system: Target, scenario: Scenario, patience: Patience
) -> tuple[str | None, Invariants]:
    """Ask for the single writes, then for the whole; why not for all of them, and the whole."""
    try:
        auditor = Auditor(system, scenario, patience)
    except Unanswered as unanswered:
        write_found(folder)
        return str(unanswered), Invariants(why=str(unanswered))
    asked = _Asked()
    with contextlib.closing(auditor):
        write_found(folder, asked.writes(folder, auditor))
        if asked.why is not None:
            return asked.why, Invariants(why=asked.why)
        try:
            return None, auditor.invariants()
        except Unanswered as unanswered:
            return None, Invariants(why=str(unanswered))


class _Asked:
    """What was asked for so far; `why` says why that is not everything."""

    def __init__(self) -> None:
        self.why: str | None = None

    def writes(self, folder: Path, auditor: Auditor) -> Iterator[pa.Table]:
        """Ask for the writes of a run, as far as that goes."""
        try:
            prefix = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["id"]
            for part in _in_parts(sent_writes(folder), IDS_AT_ONCE):
                keys = zip(*(column.to_pylist() for column in part.columns), strict=True)
                ids = [f"{prefix}-{process}-{request}" for process, request in keys]
                found = pa.array(auditor.found(ids), type=FOUND_SCHEMA.field("found").type)
                yield part.append_column("found", found)
        except Unanswered as unanswered:
            self.why = str(unanswered)
        except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
            self.why = f"the records cannot be read ({type(error).__name__})"


def _in_parts(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Cut tables so that each but the last has so many rows."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(each.num_rows for each in waiting) < rows:
            continue
        whole = pa.concat_tables(waiting)
        cut = whole.num_rows - whole.num_rows % rows
        for start in range(0, cut, rows):
            yield whole.slice(start, rows)
        waiting = [whole.slice(cut)] if cut < whole.num_rows else []
    if waiting:
        yield pa.concat_tables(waiting)


class Auditor:
    """Somebody who may ask a CRM for its audit.

    Parameters
    ----------
    system : Target
        The CRM, and who has an account there.
    scenario : Scenario
        What is sent with every request.
    patience : Patience
        When it gives up.

    Raises
    ------
    Unanswered
        When there is nobody to ask, or nobody who may.
    """

    def __init__(self, system: Target, scenario: Scenario, patience: Patience) -> None:
        if system.accounts is None:
            raise Unanswered("no accounts of the reference CRM are known for this target")
        if system.lost():
            raise Unanswered("the target had ended")
        self._system = system
        self._patience = patience
        self._headers = {
            name: value
            for name, value in headers_of(scenario).items()
            if name.lower() not in {"authorization", "content-type"}
        }
        token = _token(system.accounts)
        self._headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._path = urlsplit(system.base_url).path.rstrip("/") + _PATH
        try:
            self._connection = connection_to(
                system.base_url, ca=scenario.target.ca, timeout_s=PATIENCE_S
            )
        except OSError as error:
            raise Unanswered(f"the authorities of target.ca cannot be read ({error})") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def found(self, ids: list[str]) -> list[int]:
        """Ask how often some requests are stored.

        Parameters
        ----------
        ids : list of str
            At most `IDS_AT_ONCE`.

        Returns
        -------
        list of int
            For each.

        Raises
        ------
        Unanswered
            When it does not say so.
        """
        answer = self._ask("POST", json.dumps({"request_ids": ids}))
        self._patience.prolong(MORE_S)
        try:
            counts = answer["found"]
            return [int(counts[name]) for name in ids]
        except (KeyError, TypeError, ValueError) as error:
            raise Unanswered(_SOMETHING_ELSE) from error

    def invariants(self) -> Invariants:
        """Ask what is broken in the target's data as a whole.

        Returns
        -------
        Invariants
            As it says.

        Raises
        ------
        Unanswered
            When it does not.
        """
        answer = self._ask("GET", None)
        try:
            told = [
                {key: each[key] for key in ("name", "violations", "examples")}
                for each in answer["invariants"]
            ]
        except (KeyError, TypeError) as error:
            raise Unanswered(_SOMETHING_ELSE) from error
        return Invariants(
            checked=len(told), broken=tuple(each for each in told if each["violations"])
        )

    def _ask(self, method: str, body: str | None) -> Mapping[str, Any]:
        """Ask until there is an answer, no time, or nobody.

        Raises
        ------
        Unanswered
            In the latter cases.
        """
        broken = 0
        while broken < _BROKEN_MOST:
            try:
                status, text = self._send(method, body)
            except TimeoutError as error:
                if self._patience.is_over_at_once:
                    raise Unanswered("the audit was interrupted") from error
                raise Unanswered("the target did not answer the audit in time") from error
            except (OSError, http.client.HTTPException):
                # one of its servers may have ended, and another one answer
                broken += not self._system.is_coming()
                status, text = _BUSY, b""
            if status == _OK:
                return _object(text)
            if status != _BUSY:
                raise Unanswered(_REFUSALS.get(status, f"the audit was answered with {status}"))
            time.sleep(_PAUSE_S)
        raise Unanswered("the target took no connections for its audit")

    def _send(self, method: str, body: str | None) -> tuple[int, bytes]:
        """Send one question.

        Raises
        ------
        TimeoutError
            When there is no time left.
        OSError
            When the connection breaks; the next question is asked on another one.
        HTTPException
            The same.
        """
        left_s = self._left_s()
        connection = self._connection
        connection.timeout = left_s
        if connection.sock is not None:
            connection.sock.settimeout(left_s)
        try:
            connection.request(method, self._path, body, self._headers)
            while not select.select([connection.sock], [], [], _HEARS_EVERY_S)[0]:
                self._left_s()
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def _left_s(self) -> float:
        """Seconds that are left.

        Raises
        ------
        TimeoutError
            When none are.
        """
        left_s = self._patience.left_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _object(text: bytes) -> Mapping[str, Any]:
    """Parse an answer.

    Raises
    ------
    Unanswered
        When it is no JSON object.
    """
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise Unanswered(_SOMETHING_ELSE) from error
    if not isinstance(answer, dict):
        raise Unanswered(_SOMETHING_ELSE)
    return answer


def _token(accounts: Path) -> str:
    """Find somebody who may ask; one with a note is an account for tests.

    Raises
    ------
    Unanswered
        When there is nobody.
    """
    able: dict[str, str] = {}
    try:
        with accounts.open(encoding="utf-8") as lines:
            next(lines)  # the header
            for line in lines:
                account = json.loads(line)
                if account["role"] in _ROLES and account["token"] and not account.get("note"):
                    able.setdefault(account["role"], account["token"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        why = f"the accounts cannot be read ({type(error).__name__})"
        raise Unanswered(why) from error
    for role in _ROLES:
        if role in able:
            return able[role]
    raise Unanswered(f"none of the accounts is one of {' or '.join(_ROLES)}")
