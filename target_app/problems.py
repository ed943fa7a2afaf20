"""Errors as answers: RFC 9457 ``application/problem+json``, or a page for those who read HTML."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus

from flask import Flask, Response, current_app, render_template, request
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound

from target_app import answers, database, pages, telemetry

_PATH_SHOWN = 200
# Foreign keys and uniqueness, for which somebody else's request can be the reason. PostgreSQL,
# appendix A of its manual; SQLite, "Result and Error Codes".
_OVERTAKEN = {"23503", "23505"}
_OVERTAKEN_SQLITE = {
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
}


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


class Unknown(HTTPException):
    """The database was gone when it was to say that it has stored everything."""

    code = 503
    description = (
        "The connection to the database broke while this was being stored. Whether it was is not "
        "known: look before you send it again, unless it has an Idempotency-Key."
    )


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
    app.register_error_handler(database.CommitLostError, _unknown)
    app.register_error_handler(IntegrityError, _contradicted)


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
        uncertain = isinstance(error, Unknown)
        page = render_template("problem.html", **problem, uncertain=uncertain)
        return _keep_headers(error, pages.respond(page))
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
    _give_up(logging.ERROR, error)
    return _answer(Busy())


def _unknown(error: Exception) -> Response | HTTPException:
    """Answer for what may have been stored, or not."""
    _give_up(logging.ERROR, error)
    return _answer(Unknown())


def _contradicted(error: IntegrityError) -> Response | HTTPException:
    """
    Answer for what a rule of the database refused.

    Mostly that was there when it was looked at, and was not any more when it was used. Any other
    rule is one that we should have kept.
    """
    code = getattr(error.orig, "sqlstate", None)
    if code in _OVERTAKEN or getattr(error.orig, "sqlite_errorcode", None) in _OVERTAKEN_SQLITE:
        _give_up(logging.WARNING, error)
        return _answer(Conflict([FieldError("/", "something that it names was changed meanwhile")]))
    _give_up(logging.ERROR, error)
    return _answer(InternalServerError())


def _give_up(level: int, error: Exception) -> None:
    """
    Write down what failed, and end the request's transaction.

    What the answer asks the database for, a page who is signed in, gets the connection that the
    request has; a pool of one has no other.
    """
    current_app.logger.log(level, "request %s: %s", telemetry.request_id(), _said(error))
    with suppress(SQLAlchemyError):  # it was broken already
        database.roll_back()


def _said(error: Exception) -> str:
    """Give what the database said in its first line: the others hold what the request sent."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _reads_html() -> bool:
    """Tell whether the caller is a person at a page; programs ask for anything or for JSON."""
    if request.path.startswith("/api/"):
        return False
    offered = ["application/problem+json", "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"
