"""JSON Schemas of what is answered, out of the columns that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Integer, String, Text

from target_app.ids import ID_MAX

Schema = dict[str, Any]

MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}


def record(fields: Mapping[str, ColumnElement[Any] | Any], **more: Schema) -> Schema:
    """
    Describe a record.

    Parameters
    ----------
    fields : mapping of str to ColumnElement
        Its members by name, as the queries select them.
    **more : dict
        Members that are no columns.

    Returns
    -------
    dict
        An object whose members are all there.
    """
    members = {name: _of_column(name, column) for name, column in fields.items()} | more
    return {"type": "object", "required": list(members), "properties": members}


def page(item: Schema) -> Schema:
    """
    Describe a page of a list.

    Parameters
    ----------
    item : dict
        Of one item.

    Returns
    -------
    dict
    """
    members = {
        "items": {"type": "array", "items": item},
        "next": {"type": ["string", "null"]},
    }
    return {"type": "object", "required": list(members), "properties": members}


def _of_column(name: str, column: Any) -> Schema:
    """
    Describe what a column may hold.

    Raises
    ------
    TypeError
        For a type of column that no table has had so far.
    """
    if name == "id" or name.endswith("_id"):
        schema: Schema = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
    elif name.endswith("_at"):
        schema = dict(MOMENT)
    elif isinstance(column.type, Boolean):
        schema = {"type": "boolean"}
    elif isinstance(column.type, Integer | BigInteger):
        schema = {"type": "integer"}
    elif isinstance(column.type, String | Text):
        schema = {"type": "string"}
        if column.type.length is not None:
            schema["maxLength"] = column.type.length
    else:
        raise TypeError(f"{name}: no schema for {column.type!r}")
    if getattr(column, "nullable", False):
        schema["type"] = [schema["type"], "null"]
    return schema
