"""What a body may hold: a schema is a mapping of field names to rules, checked all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from target_app.problems import FieldError, Invalid
from target_app.rules import Refused, Rule, Schema, kind_of

_UNKNOWN_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an object: its rule, and what stands for it when it is left out."""

    rule: Rule
    required: bool = True
    default: object = None

    def json_schema(self) -> Schema:
        """Say what the member of a whole record may be; null stands for leaving it out."""
        if self.required:
            return self.rule.json_schema()
        return nullable(self.rule.json_schema()) | {"default": self.default}

    def patch_schema(self) -> Schema:
        """Say what the member of a merge patch may be; null removes what need not be there."""
        removable = not self.required and self.default is None
        schema = self.rule.json_schema()
        return nullable(schema) if removable else schema


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query: its rule takes the text that stands in the address."""

    rule: Rule
    default: object = None
    required: bool = False
    about: str = ""

    def json_schema(self) -> Schema:
        """Say what its value may be."""
        schema = self.rule.json_schema()
        return schema if self.default is None else schema | {"default": self.default}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of 1 to `longest` objects of one schema."""

    schema: Mapping[str, Field]
    longest: int

    def __call__(self, value: object) -> list[dict[str, Any]]:
        """
        Check a list, item by item.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        list of dict
            As it will be stored.

        Raises
        ------
        Refused
            With the errors of all items.
        """
        if not isinstance(value, list):
            raise Refused(f"must be a list; found {kind_of(value)}")
        if not 1 <= len(value) <= self.longest:
            raise Refused(f"must have 1 to {self.longest} items; found {len(value)}")
        errors: list[FieldError] = []
        items = [_take(errors, f"/{i}", self._one, item) for i, item in enumerate(value)]
        if errors:
            raise Refused(errors=errors)
        return items

    def json_schema(self) -> Schema:
        """Say the same as JSON Schema."""
        items = object_schema(self.schema)
        return {"type": "array", "minItems": 1, "maxItems": self.longest, "items": items}

    def _one(self, value: object) -> dict[str, Any]:
        return _check_object(self.schema, value)


def object_schema(schema: Mapping[str, Field]) -> Schema:
    """
    Say as JSON Schema what `check` accepts.

    Parameters
    ----------
    schema : mapping of str to Field
        What a body may hold.

    Returns
    -------
    dict
    """
    members = {name: field.json_schema() for name, field in schema.items()}
    required = [name for name, field in schema.items() if field.required]
    there = {"required": required} if required else {}
    return {"type": "object", "properties": members, **there, "additionalProperties": False}


def patch_schema(schema: Mapping[str, Field]) -> Schema:
    """
    Say as JSON Schema what `check_patch` accepts.

    Parameters
    ----------
    schema : mapping of str to Field
        What the record may hold.

    Returns
    -------
    dict
    """
    members = {name: field.patch_schema() for name, field in schema.items()}
    return {"type": "object", "properties": members, "additionalProperties": False}


def nullable(schema: Schema) -> Schema:
    """
    Admit null beside what a schema admits.

    Parameters
    ----------
    schema : dict
        With one type.

    Returns
    -------
    dict
    """
    wider = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], None]
    return wider


def check(schema: Mapping[str, Field], value: object) -> dict[str, Any]:
    """
    Hold a body against its schema.

    Parameters
    ----------
    schema : mapping of str to Field
        What it may hold.
    value : object
        What it holds.

    Returns
    -------
    dict of str to object
        Every field of the schema, normalised, defaults filled in.

    Raises
    ------
    Invalid
        With all errors of the body.
    """
    try:
        return _check_object(schema, value)
    except Refused as refused:
        raise Invalid(refused.errors) from None


def check_patch(schema: Mapping[str, Field], value: object) -> dict[str, Any]:
    """
    Hold a merge patch (RFC 7396) against the schema of its record.

    Parameters
    ----------
    schema : mapping of str to Field
        What the record may hold.
    value : object
        What the patch holds.

    Returns
    -------
    dict of str to object
        The fields that it names, normalised; None for those that it removes.

    Raises
    ------
    Invalid
        With all errors of the body.
    """
    if not isinstance(value, dict):
        raise Invalid([FieldError("", f"must be an object; found {kind_of(value)}")])
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name in filter(schema.__contains__, value):
        if value[name] is not None:
            checked[name] = _take(errors, f"/{name}", schema[name].rule, value[name])
        elif schema[name].required or schema[name].default is not None:
            errors.append(FieldError(f"/{name}", "must not be null"))
        else:
            checked[name] = None
    errors += _unknown(schema, value)
    if errors:
        raise Invalid(errors)
    return checked


def check_query(parameters: Mapping[str, Parameter], given: MultiDict[str, str]) -> dict[str, Any]:
    """
    Hold a query against its description.

    Parameters
    ----------
    parameters : mapping of str to Parameter
        What it may hold.
    given : MultiDict
        What it holds.

    Returns
    -------
    dict of str to object
        Every parameter, normalised, defaults filled in.

    Raises
    ------
    Invalid
        With all errors of the query.
    """
    if not given and not any(parameter.required for parameter in parameters.values()):
        return {name: parameter.default for name, parameter in parameters.items()}  # often
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, parameter in parameters.items():
        values = given.getlist(name)
        if len(values) > 1:
            errors.append(FieldError(name, f"is given {len(values)} times; once is allowed"))
        elif values:
            checked[name] = _take(errors, name, parameter.rule, values[0])
        elif parameter.required:
            errors.append(FieldError(name, "is required"))
        else:
            checked[name] = parameter.default
    unknown = [name for name in given if name not in parameters][:_UNKNOWN_SHOWN]
    allowed = ", ".join(parameters) or "none"
    errors += [FieldError(_pointer(n), f"is unknown; allowed are {allowed}") for n in unknown]
    if errors:
        raise Invalid(errors)
    return checked


def _check_object(schema: Mapping[str, Field], value: object) -> dict[str, Any]:
    """
    Check one object, member by member.

    Raises
    ------
    Refused
        With the errors of all members.
    """
    if not isinstance(value, dict):
        raise Refused(f"must be an object; found {kind_of(value)}")
    errors: list[FieldError] = []
    checked: dict[str, Any] = {}
    for name, field in schema.items():
        given = value.get(name)
        if given is not None:
            checked[name] = _take(errors, f"/{name}", field.rule, given)
        elif field.required:
            errors.append(FieldError(f"/{name}", "is required"))
        else:
            checked[name] = field.default
    errors += _unknown(schema, value)
    if errors:
        raise Refused(errors=errors)
    return checked


def _unknown(schema: Mapping[str, Field], value: Mapping[str, object]) -> Sequence[FieldError]:
    """Complain of members that no schema names: a misspelt optional field would be lost."""
    names = [name for name in value if name not in schema][:_UNKNOWN_SHOWN]
    allowed = ", ".join(schema)
    return [
        FieldError(f"/{_pointer(name)}", f"is unknown; allowed are {allowed}") for name in names
    ]


def _take(
    errors: list[FieldError], path: str, rule: Callable[[object], object], value: object
) -> Any:
    """Apply a rule, and note below which path it refused."""
    try:
        return rule(value)
    except Refused as refused:
        errors += [FieldError(path + error.path, error.message) for error in refused.errors]
        return None


def _pointer(name: str) -> str:
    """Make a foreign member's name fit to be shown: short, escaped by RFC 6901, encodable."""
    shown = name[:40].encode("utf-8", "backslashreplace").decode()
    return shown.replace("~", "~0").replace("/", "~1")
