"""``/api/v1/openapi.json``: the API as an OpenAPI 3.1 document, out of its description.

Nothing in it is written down a second time: paths, input, roles and answers are those that
`target_app.api` enforces. What it adds is what every operation has in common: the headers, and the
errors that each can give because of what it takes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response

from target_app import answers, idempotency, telemetry
from target_app.accounts import EVERYBODY
from target_app.api import PREFIX, Api, Operation, operations
from target_app.rules import RECORD
from target_app.validation import object_schema, patch_schema

Json = dict[str, Any]

VERSION = "1"
PATH = f"{PREFIX}/openapi.json"

_CONVERTED = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_REQUEST_ID = f"^{telemetry.REQUEST_ID.pattern}$"
_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457, with all mistakes of the input at once.",
    "required": ["type", "title", "status", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "pattern": _REQUEST_ID},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or the name of a parameter.",
                    },
                    "message": {"type": "string"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
_HEADERS: Json = {
    "X-Request-Id": {
        "description": "That of the request, or a new one. Writes store it with the row.",
        "required": True,
        "schema": {"type": "string", "pattern": _REQUEST_ID},
    },
    "Server-Timing": {
        "description": "Milliseconds in the application and in the database, and its statements.",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": r'^app;dur=[0-9.]+, db;dur=[0-9.]+, queries;desc="[0-9]+"$',
        },
    },
    "ETag": {
        "description": "The version of the record, for If-Match and If-None-Match.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Link": {
        "description": "The next page, where there is one (RFC 8288).",
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
    },
    "Location": {
        "description": "Where the record can be read.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "The request had been served before; this is the answer that it got then.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {
        "description": "What to authenticate with.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
}
_IDEMPOTENCY_KEY: Json = {
    "name": idempotency.HEADER,
    "in": "header",
    "description": "A request that is sent again with the key is answered again and done once.",
    "schema": {"type": "string", "pattern": f"^{idempotency.KEY.pattern}$"},
}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that was read; 412 when the record has another one by now.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag that is known; 304 when the record has it still.",
    "schema": {"type": "string"},
}
_ALWAYS = ("X-Request-Id", "Server-Timing")
_OF_ERROR = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}
_ERRORS = {
    400: "The body is not JSON.",
    401: "No token, or one that is unknown, expired or withdrawn.",
    403: "The account's role, or its token, does not allow it.",
    404: "There is none, or none that the account may see.",
    409: "It contradicts what is stored.",
    412: "The record has another version than If-Match names.",
    413: "The body is too long.",
    415: "The body is not said to be JSON.",
    422: "Some of the values are not acceptable; `errors` names each.",
    503: "The database is busy; try again in a moment.",
}


def install(app: Flask, apis: Sequence[Api]) -> None:
    """
    Have an application tell what its API is.

    Parameters
    ----------
    app : Flask
        The application.
    apis : sequence of Api
        The resources that it serves.
    """

    @functools.cache
    def encoded() -> str:
        return answers.encode(document(operations(apis)))

    @app.get(PATH)
    def openapi() -> Response:
        return Response(encoded(), mimetype="application/json")


def document(described: Iterable[Operation]) -> Json:
    """
    Make the document.

    Parameters
    ----------
    described : iterable of Operation
        Everything that the API does.

    Returns
    -------
    dict
        OpenAPI 3.1.
    """
    described = list(described)
    paths: dict[str, Json] = {}
    for operation in described:
        paths.setdefault(written(operation.prefix + operation.path), {})[
            operation.method.lower()
        ] = _operation(operation, described)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reference CRM",
            "version": VERSION,
            "description": "Every error is a problem (RFC 9457). `x-roles` names who may call.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in sorted({each.resource for each in described})],
        "paths": paths | {PATH: {"get": _itself()}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _PROBLEM},
            "headers": _HEADERS,
            "responses": {_name(status): _problem(status) for status in _ERRORS},
        },
    }


def written(path: str) -> str:
    """
    Write a path as OpenAPI does.

    Parameters
    ----------
    path : str
        As Flask does.

    Returns
    -------
    str
    """
    return _CONVERTED.sub(r"{\g<name>}", path)


def _operation(operation: Operation, described: Sequence[Operation]) -> Json:
    """Describe one operation."""
    parameters = [*_path_parameters(operation), *_query(operation), *_conditions(operation)]
    members: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.resource],
    }
    members |= {"security": []} if operation.public else {"x-roles": sorted(operation.allow)}
    if parameters:
        members["parameters"] = parameters
    if operation.body is not None:
        members["requestBody"] = _body(operation)
    answered = {
        str(status): _answer(operation, status, schema, described)
        for status, schema in operation.answers.items()
    }
    if _reads_version(operation):
        answered["304"] = {
            "description": "The record is as it is known.",
            "headers": _headers(*_ALWAYS, "ETag"),
        }
    for status in _errors(operation):
        answered[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}
    return members | {"responses": dict(sorted(answered.items()))}


def _path_parameters(operation: Operation) -> list[Json]:
    """
    Describe what a path names.

    Raises
    ------
    TypeError
        For a kind of parameter that no path has had so far.
    """
    parameters = []
    for found in _CONVERTED.finditer(operation.path):
        if found["kind"] != "record":
            raise TypeError(f"{operation.path}: no schema for <{found['kind']}:...>")
        parameters.append(
            {
                "name": found["name"],
                "in": "path",
                "required": True,
                "schema": RECORD.json_schema(),
            }
        )
    return parameters


def _query(operation: Operation) -> list[Json]:
    """Describe the parameters of a query."""
    return [
        {
            "name": name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.about,
            "schema": parameter.json_schema(),
        }
        for name, parameter in operation.query.items()
    ]


def _conditions(operation: Operation) -> list[Json]:
    """Describe the headers that are honoured."""
    honoured = (
        (_IDEMPOTENCY_KEY, operation.idempotent),
        (_IF_MATCH, _checks_version(operation)),
        (_IF_NONE_MATCH, _reads_version(operation)),
    )
    return [header for header, so in honoured if so]


def _body(operation: Operation) -> Json:
    """Describe what is to be sent; a merge patch says by null what it removes."""
    assert operation.body is not None  # noqa: S101 - asked before
    of_body = patch_schema if operation.method == "PATCH" else object_schema
    return {
        "required": True,
        "content": {"application/json": {"schema": of_body(operation.body)}},
    }


def _answer(
    operation: Operation,
    status: int,
    schema: Mapping[str, Any] | None,
    described: Sequence[Operation],
) -> Json:
    """Describe the answer of a request that succeeded."""
    created = status == HTTPStatus.CREATED
    there = {
        "ETag": operation.versioned and schema is not None,
        "Link": schema is not None and "next" in schema.get("properties", {}),
        "Location": created,
        idempotency.REPLAYED: operation.idempotent,
    }
    names = [name for name, so in there.items() if so]
    answer: Json = {
        "description": HTTPStatus(status).phrase,
        "headers": _headers(*_ALWAYS, *names),
    }
    if schema is not None:
        answer["content"] = {"application/json": {"schema": dict(schema)}}
    links = _links(operation, described) if created else {}
    return answer | {"links": links} if links else answer


def _links(operation: Operation, described: Sequence[Operation]) -> Json:
    """Say what can be done with a record that has just been made."""
    of_record = re.compile(re.escape(operation.path) + r"/<record:(\w+)>(?:/\w+)?")
    followed = [(each, of_record.fullmatch(each.path)) for each in described]
    return {
        each.name: {
            "operationId": each.name,
            "parameters": {f"path.{match[1]}": "$response.body#/id"},
        }
        for each, match in followed
        if match
    }


def _errors(operation: Operation) -> Iterable[int]:
    """Name the errors that an operation can give."""
    body = operation.body is not None
    can: Mapping[int, bool] = {
        400: body,
        401: not operation.public,
        403: not operation.public and (operation.writes or operation.allow != EVERYBODY),
        404: "<" in operation.path,
        409: operation.writes,
        412: _checks_version(operation),
        413: body or operation.idempotent,
        415: body,
        422: True,
        503: not operation.public,  # which asks the database nothing
    }
    return [status for status, so in can.items() if so]


def _reads_version(operation: Operation) -> bool:
    """Tell whether ``If-None-Match`` is honoured."""
    return operation.versioned and not operation.writes


def _checks_version(operation: Operation) -> bool:
    """Tell whether ``If-Match`` is honoured: what is made only now has no version before."""
    return operation.versioned and operation.writes and HTTPStatus.CREATED not in operation.answers


def _problem(status: int) -> Json:
    """Describe the answer that an error is."""
    return {
        "description": _ERRORS[status],
        "headers": _headers(*_ALWAYS, *_OF_ERROR.get(status, ())),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _name(status: int) -> str:
    """Name the answer that an error is, in the components."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


def _itself() -> Json:
    """Describe the path of the document, which needs no token."""
    return {
        "operationId": "openapi",
        "summary": "Say what the API is: this document.",
        "security": [],
        "responses": {
            "200": {
                "description": HTTPStatus.OK.phrase,
                "headers": _headers(*_ALWAYS),
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    }
