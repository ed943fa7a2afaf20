"""``/api/v1/_audit``: what is there of what was acknowledged, and whether all of it fits together.

For tests alone: a server answers it when it was started with ``--test-mode``, and 404 otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask import Response, current_app
from sqlalchemy import bindparam, func, select

from target_app import answers, database, extensions, invariants
from target_app.accounts import MANAGERS, Account
from target_app.api import Api
from target_app.models import Activity, Base, Change, Customer, Feedback, Order, table_of
from target_app.models import Response as FeedbackResponse
from target_app.problems import FieldError
from target_app.rules import Refused, Schema, kind_of
from target_app.telemetry import REQUEST_ID
from target_app.validation import Field

api = Api("audit")

IDS_MOST = 5000
_BODY_BYTES = 512 * 1024
_AT_ONCE = 500  # ids in one statement

# What a request that adds something writes one row into; and the journal of those that change it.
_WRITTEN = tuple(map(table_of, (Customer, Activity, Order, Feedback, FeedbackResponse, Change)))
COUNTS = [
    select(table.c.request_id, func.count().label("times"))
    .where(table.c.request_id.in_(bindparam("ids", expanding=True)))
    .group_by(table.c.request_id)
    for table in _WRITTEN
]
"""How many rows some requests have written, one statement a table. The index of the rows that have
a request id serves as it stands: saying again that there is one makes SQLite read all of it."""


@dataclass(frozen=True, slots=True)
class RequestIds:
    """A list of request ids."""

    longest: int

    def __call__(self, value: object) -> list[str]:
        """
        Check a list.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        list of str
            The same.

        Raises
        ------
        Refused
            When it is too long, or holds something else.
        """
        if not isinstance(value, list):
            raise Refused(f"must be a list; found {kind_of(value)}")
        if len(value) > self.longest:
            raise Refused(f"must have at most {self.longest} items; found {len(value)}")
        errors = [
            FieldError(f"/{place}", f"must be text of the form {REQUEST_ID.pattern}")
            for place, one in enumerate(value)
            if not isinstance(one, str) or not REQUEST_ID.fullmatch(one)
        ]
        if errors:
            raise Refused(errors=errors)
        return value

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema."""
        one = {"type": "string", "pattern": f"^{REQUEST_ID.pattern}$"}
        return {"type": "array", "maxItems": self.longest, "items": one}


_COUNT = {"type": "integer", "minimum": 0}
_FOUND: Schema = {
    "type": "object",
    "required": ["found"],
    "properties": {"found": {"type": "object", "additionalProperties": _COUNT}},
}
_FINDING: Schema = {
    "type": "object",
    "required": ["name", "violations", "examples"],
    "properties": {
        "name": {"type": "string"},
        "violations": _COUNT,
        "examples": {
            "type": "array",
            "items": {"type": "integer"},
            "maxItems": invariants.EXAMPLES,
        },
    },
}
_STATE: Schema = {
    "type": "object",
    "required": ["holds", "rows", "invariants"],
    "properties": {
        "holds": {"type": "boolean"},
        "rows": {"type": "object", "additionalProperties": _COUNT},
        "invariants": {"type": "array", "items": _FINDING},
    },
}


@api.post(
    "/_audit",
    allow=MANAGERS,
    body={"request_ids": Field(RequestIds(IDS_MOST))},
    body_bytes=_BODY_BYTES,
    answers={200: _FOUND},
)
def find_requests(account: Account, body: dict[str, Any]) -> Response:
    """
    Count what some requests have written: 1 for each that was acknowledged, 0 for none.

    Parameters
    ----------
    account : Account
        Who asks.
    body : dict of str to object
        As described.

    Returns
    -------
    Response
        A count for every id that was asked for.
    """
    del account
    asked: list[str] = body["request_ids"]
    return answers.ok({"found": dict.fromkeys(asked, 0) | _count(asked)})


@api.get("/_audit", allow=MANAGERS, answers={200: _STATE})
def check_invariants(account: Account) -> Response:
    """
    Count the rows of every table, and look for what breaks an invariant.

    Parameters
    ----------
    account : Account
        Who asks.

    Returns
    -------
    Response
        ``holds`` when nothing does.
    """
    del account
    added = [each.tables for each in extensions.load(current_app.extensions["crm"].extensions)]
    tables = [t for metadata in [Base.metadata, *added] for t in metadata.sorted_tables]
    with database.aside() as connection:
        findings = invariants.check(connection, invariants.of_tables(added))
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }
    return answers.ok(
        {
            "holds": not any(finding.violations for finding in findings),
            "rows": rows,
            "invariants": [asdict(finding) for finding in findings],
        }
    )


def _count(asked: Sequence[str]) -> dict[str, int]:
    """Count the rows by request id, in a transaction that writes nothing."""
    ids = list(dict.fromkeys(asked))
    found: Counter[str] = Counter()
    for start in range(0, len(ids), _AT_ONCE):
        for statement in COUNTS:
            for row in database.rows_aside(statement, ids=ids[start : start + _AT_ONCE]):
                found[row.request_id] += row.times
    return dict(found)
