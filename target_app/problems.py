"""Errors as answers: RFC 9457 ``application/problem+json``, or a page for those who read HTML."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from flask import Flask, Response, current_app, render_template, request
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from target_app import answers, pages, telemetry

_PATH_SHOWN = 200


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one place of the input."""

    path: str
    """Where: a JSON pointer into the body, or the name of a query parameter."""

    message: str
    """What is allowed there, and what was found."""


class Invalid(HTTPException):
    """
    The input is well-formed but not acceptable; all its errors together.

    Parameters
    ----------
    errors : sequence of FieldError
        At least one.
    """

    code = 422

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("The request is well-formed, but some of its values are not acceptable.")
        self.errors = tuple(errors)


class Conflict(HTTPException):
    """
    The input contradicts what is already stored.

    Parameters
    ----------
    errors : sequence of FieldError
        At least one.
    """

    code = 409

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("The request contradicts a record that exists already.")
        self.errors = tuple(errors)


class Busy(HTTPException):
    """The database did not answer in time."""

    code = 503
    description = "The database is busy; try again in a moment."


def install(app: Flask) -> None:
    """
    Answer every error of an application as a problem.

    Parameters
    ----------
    app : Flask
        The application.
    """
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(InternalServerError, _answer)
    for unanswered in (OperationalError, PoolTimeout, sqlite3.OperationalError):
        app.register_error_handler(unanswered, _busy)
    app.register_error_handler(IntegrityError, _overtaken)


def _answer(error: HTTPException) -> Response | HTTPException:
    """Give the problem that an error is."""
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirect is no problem
        return error
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(error.code).phrase,
        "status": error.code,
        "detail": _detail(error),
        "instance": request.path[:_PATH_SHOWN],
        "request_id": telemetry.request_id(),
        "errors": [asdict(field) for field in getattr(error, "errors", ())],
    }
    if _reads_html():
        return _keep_headers(error, pages.respond(render_template("problem.html", **problem)))
    return _keep_headers(
        error, Response(answers.encode(problem), mimetype="application/problem+json")
    )


def _detail(error: HTTPException) -> str:
    """Say what is wrong in our words, or in those of the library where they are good."""
    if isinstance(error, NotFound) and error.description == NotFound.description:
        return "There is nothing at this address."
    return error.description or ""


def _keep_headers(error: HTTPException, answer: Response) -> Response:
    """Give an answer the status of its error and what the error says in headers (``Allow``)."""
    answer.status_code = error.code or 500
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            answer.headers[name] = value
    if isinstance(error, Busy):
        answer.headers["Retry-After"] = "1"
    return answer


def _busy(error: Exception) -> Response | HTTPException:
    """Answer for a database that is locked, gone or short of connections; the log says which."""
    current_app.logger.error("request %s: %s", telemetry.request_id(), _said(error))
    return _answer(Busy())


def _overtaken(error: Exception) -> Response | HTTPException:
    """Answer for what was there when it was looked at, and was not any more when it was used."""
    current_app.logger.warning("request %s: %s", telemetry.request_id(), _said(error))
    return _answer(Conflict([FieldError("/", "something that it names was changed meanwhile")]))


def _said(error: Exception) -> str:
    """Give what the database said in its first line: the others hold what the request sent."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _reads_html() -> bool:
    """Tell whether the caller is a person at a page; programs ask for anything or for JSON."""
    if request.path.startswith("/api/"):
        return False
    offered = ["application/problem+json", "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"
