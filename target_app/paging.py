"""Lists, newest first, page by page.

A page begins after the last key of the one before (keyset paging), never at an offset: page 1,000
costs what page 1 costs, and rows that are added meanwhile move nothing.

Three published defects can be switched on, to show what they cost: ``paging=offset``,
``list_mode=unbounded`` and ``n_plus_one`` (`target_app.options`).
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, request
from sqlalchemy import BigInteger, Column, ColumnElement, Select, bindparam, select, tuple_

from target_app import answers, database
from target_app.config import Config
from target_app.ids import ID_MAX
from target_app.options import Options
from target_app.problems import FieldError, Invalid
from target_app.rules import Digits, Text
from target_app.validation import Parameter

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
_CURSOR_LONGEST = 200
_UNBOUNDED = 2**62
_OFFSET_MAX = 2**53
_FOREIGN = FieldError("after", "must be the `next` of an earlier page of this list")
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


@dataclass(frozen=True, slots=True)
class Related:
    """What the items of a list show of another row: the name of whom they belong to."""

    name: str
    """Under which an item shows it."""
    column: Column[Any]
    """What is shown; its table has the key ``id``."""
    via: str
    """The field of an item that holds the other row's id; None shows None."""


class Listing:
    """
    A list of rows, with its statements for the first page and for the later ones.

    Parameters
    ----------
    fields : mapping of str to ColumnElement
        What an item holds, by name.
    key : sequence of str
        The fields that order the list, descending: a moment and the id, or the id alone. An index
        over them is what makes a page cheap.
    where : ColumnElement of bool, optional
        Which rows are in the list.
    related : Related, optional
        What an item shows besides.
    """

    def __init__(
        self,
        fields: Mapping[str, ColumnElement[Any] | Any],
        key: Sequence[str],
        where: ColumnElement[bool] | None = None,
        related: Related | None = None,
    ) -> None:
        self._key = tuple(key)
        self._related = related
        self._alone = _Statements(fields, self._key, where)
        self._joined = _Statements(fields, self._key, where, related)

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
        options = _options()
        if options.list_mode == "unbounded":
            limit = _UNBOUNDED
        apart = options.n_plus_one and self._related is not None
        statements = self._alone if apart else self._joined
        statement, skipped = statements.first, 0
        if after is not None and options.paging == "offset":
            skipped = _decode_offset(after)
            statement = statements.skipping
            parameters |= {"skipped": skipped}
        elif after is not None:
            statement = statements.later
            values = self._decode(after)
            parameters |= {f"after_{name}": v for name, v in zip(self._key, values, strict=True)}
        # One row more than asked for tells whether there is a next page.
        found = database.rows(statement, fetched=limit + 1, **parameters)
        items = [dict(zip(statements.names, row, strict=True)) for row in found[:limit]]
        if apart:
            self._look_up(items)
        if len(found) <= limit:
            return Page(items, None)
        if options.paging == "offset":
            return Page(items, _encode([skipped + limit]))
        return Page(items, _encode([items[-1][name] for name in self._key]))

    def answer(
        self,
        query: Mapping[str, Any],
        more: Mapping[str, object] | None = None,
        /,
        **parameters: object,
    ) -> Response:
        """
        Answer the current request with the page it asks for.

        Parameters
        ----------
        query : mapping of str to object
            Checked against `PAGE` and whatever else the list takes.
        more : mapping of str to object, optional
            What the answer holds besides.
        **parameters : object
            Values of the parameters that `where` binds.

        Returns
        -------
        Response
            ``{"items": [...], "next": cursor or null}``, and the next page as a ``Link``.
        """
        page = self.page(query["limit"], query["after"], **parameters)
        answer = answers.ok({"items": page.items, "next": page.next, **(more or {})})
        if page.next is not None:
            following = urlencode(request.args.to_dict() | {"after": page.next})
            answer.headers["Link"] = f'<{request.path}?{following}>; rel="next"'
        return answer

    def _look_up(self, items: Sequence[dict[str, Any]]) -> None:
        """Ask for what belongs to each item, one by one: what a page must not do."""
        if self._related is None:
            return
        statement = _name_of(self._related.column)
        for item in items:
            key = item[self._related.via]
            found = database.rows(statement, related_id=key) if key is not None else ()
            item[self._related.name] = found[0][0] if found else None

    def _decode(self, cursor: str) -> list[Any]:
        """
        Read the key back after which a page begins.

        Raises
        ------
        Invalid
            When it is none of this list's.
        """
        values = _decode(cursor)
        if len(values) != len(self._key) or not _is_key(values):
            raise Invalid([_FOREIGN])
        return values


class _Statements:
    """The statements of a list, with or without what belongs to its rows."""

    def __init__(
        self,
        fields: Mapping[str, ColumnElement[Any] | Any],
        key: Sequence[str],
        where: ColumnElement[bool] | None,
        related: Related | None = None,
    ) -> None:
        columns = [fields[name] for name in key]
        rows = select(*fields.values()).order_by(*(column.desc() for column in columns))
        self.names = tuple(fields)
        if related is not None:
            via, other = fields[related.via], related.column.table
            rows = rows.add_columns(related.column).select_from(
                via.table.outerjoin(other, other.c.id == via)
            )
            self.names += (related.name,)
        if where is not None:
            rows = rows.where(where)
        after = (bindparam(f"after_{name}", type_=fields[name].type) for name in key)
        self.first = rows.limit(bindparam("fetched", type_=BigInteger))
        self.later = self.first.where(tuple_(*columns) < tuple_(*after))
        self.skipping = self.first.offset(bindparam("skipped", type_=BigInteger))


@functools.cache
def _name_of(column: Column[Any]) -> Select[Any]:
    """Give the query for one row that belongs to an item."""
    return select(column).where(column.table.c.id == bindparam("related_id"))


def _options() -> Options:
    """Give the options of the application that serves this request."""
    config: Config = current_app.extensions["crm"]
    return config.options


def _encode(values: Sequence[object]) -> str:
    """Make a cursor."""
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    """
    Read a cursor; it comes from outside, so it may hold anything.

    Raises
    ------
    Invalid
        When it is none of ours.
    """
    try:
        padding = "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(cursor[:_CURSOR_LONGEST] + padding))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list):
        raise Invalid([_FOREIGN])
    return values


def _decode_offset(cursor: str) -> int:
    """
    Read back how many rows are to be skipped.

    Raises
    ------
    Invalid
        When the cursor does not say that.
    """
    values = _decode(cursor)
    if len(values) != 1 or type(values[0]) is not int or not 0 <= values[0] <= _OFFSET_MAX:
        raise Invalid([_FOREIGN])
    return values[0]


def _is_key(values: Sequence[object]) -> bool:
    """Tell whether the values of a cursor could be a key: moments, and an id at the end."""
    *moments, key = values
    return (
        type(key) is int  # a JSON true is an int to Python
        and 1 <= key <= ID_MAX
        and all(isinstance(moment, str) and _MOMENT.fullmatch(moment) for moment in moments)
    )
