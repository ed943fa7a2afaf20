"""Lists, newest first, page by page.

A page begins after the last key of the one before (keyset paging), never at an offset: page 1,000
costs what page 1 costs, and rows that are added meanwhile move nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy import ColumnElement, FromClause, Integer, bindparam, select, tuple_

from target_app import answers, database
from target_app.ids import ID_MAX
from target_app.problems import FieldError, Invalid
from target_app.rules import Digits, Text
from target_app.validation import Parameter

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
_CURSOR_LONGEST = 200
PAGE = {
    "limit": Parameter(Digits(1, LIMIT_MAX), LIMIT_DEFAULT, about="How many items at most."),
    "after": Parameter(
        Text(_CURSOR_LONGEST), about="The `next` of an earlier page: where to go on."
    ),
}
"""The parameters that every list takes."""
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where to go on."""

    items: list[dict[str, Any]]
    next: str | None
    """The cursor of the next page, or None at the end."""


class Listing:
    """
    A list of rows with its two statements, for the first page and for the later ones.

    Parameters
    ----------
    fields : mapping of str to ColumnElement
        What an item holds, by name.
    key : sequence of str
        The fields that order the list, descending: a moment and the id, or the id alone. An index
        over them is what makes a page cheap.
    where : ColumnElement of bool, optional
        Which rows are in the list.
    source : FromClause, optional
        What to select from, when it is more than the table of the fields.
    """

    def __init__(
        self,
        fields: Mapping[str, ColumnElement[Any] | Any],
        key: Sequence[str],
        where: ColumnElement[bool] | None = None,
        source: FromClause | None = None,
    ) -> None:
        self._names = tuple(fields)
        self._key = tuple(key)
        columns = [fields[name] for name in key]
        first = select(*fields.values()).order_by(*(column.desc() for column in columns))
        if source is not None:
            first = first.select_from(source)
        if where is not None:
            first = first.where(where)
        self._first = first.limit(bindparam("fetched", type_=Integer))
        after = (bindparam(f"after_{name}", type_=fields[name].type) for name in key)
        self._later = self._first.where(tuple_(*columns) < tuple_(*after))

    def page(self, limit: int, after: str | None = None, **parameters: object) -> Page:
        """
        Read one page.

        Parameters
        ----------
        limit : int
            How many rows at most.
        after : str, optional
            The cursor that the page before gave; the first page without.
        **parameters : object
            Values of the parameters that `where` binds.

        Returns
        -------
        Page

        Raises
        ------
        Invalid
            When the cursor is none of ours.
        """
        statement = self._first
        if after is not None:
            statement = self._later
            values = self._decode(after)
            parameters |= {f"after_{name}": v for name, v in zip(self._key, values, strict=True)}
        # One row more than asked for tells whether there is a next page.
        found = database.rows(statement, fetched=limit + 1, **parameters)
        items = [dict(zip(self._names, row, strict=True)) for row in found[:limit]]
        more = len(found) > limit
        return Page(items, self._encode(items[-1]) if more else None)

    def answer(self, query: Mapping[str, Any], **parameters: object) -> Response:
        """
        Answer the current request with the page it asks for.

        Parameters
        ----------
        query : mapping of str to object
            Checked against `PAGE` and whatever else the list takes.
        **parameters : object
            Values of the parameters that `where` binds.

        Returns
        -------
        Response
            ``{"items": [...], "next": cursor or null}``, and the next page as a ``Link``.
        """
        page = self.page(query["limit"], query["after"], **parameters)
        answer = answers.ok({"items": page.items, "next": page.next})
        if page.next is not None:
            following = urlencode(request.args.to_dict() | {"after": page.next})
            answer.headers["Link"] = f'<{request.path}?{following}>; rel="next"'
        return answer

    def _encode(self, item: Mapping[str, object]) -> str:
        """Make the cursor that stands after an item."""
        values = json.dumps([item[name] for name in self._key], separators=(",", ":"))
        return base64.urlsafe_b64encode(values.encode()).decode().rstrip("=")

    def _decode(self, cursor: str) -> list[Any]:
        """
        Read a cursor back; it comes from outside, so it may hold anything.

        Raises
        ------
        Invalid
            When it is none of this list's.
        """
        try:
            padding = "=" * (-len(cursor) % 4)
            values = json.loads(base64.urlsafe_b64decode(cursor[:_CURSOR_LONGEST] + padding))
        except (ValueError, RecursionError):
            values = None
        if not self._fits(values):
            message = "must be the `next` of an earlier page of this list"
            raise Invalid([FieldError("after", message)])
        return list(values)

    def _fits(self, values: object) -> bool:
        """Tell whether the values of a cursor could be a key of this list."""
        if not isinstance(values, list) or len(values) != len(self._key):
            return False
        *moments, key = values
        return (
            isinstance(key, int)
            and not isinstance(key, bool)
            and 1 <= key <= ID_MAX
            and all(isinstance(moment, str) and _MOMENT.fullmatch(moment) for moment in moments)
        )
