"""``ETag`` and ``If-Match``: nobody overwrites what somebody else has changed meanwhile.

The tag of a record is its version. Who sends the version that was read is refused (412) when the
record has another one by now; who sends none overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from werkzeug.exceptions import PreconditionFailed

from target_app import answers


def tagged(answer: Response, version: int) -> Response:
    """
    Put the version of its record on an answer.

    Parameters
    ----------
    answer : Response
        Holds one record.
    version : int
        Its version.

    Returns
    -------
    Response
        The same; 304 without a body, when the caller has read this version already
        (``If-None-Match``).
    """
    answer.set_etag(str(version))
    if "If-None-Match" in request.headers and request.method in {"GET", "HEAD"}:
        answer.make_conditional(request)
    return answer


def record(body: Mapping[str, Any]) -> Response:
    """
    Answer 200 with a record and its version.

    Parameters
    ----------
    body : mapping of str to object
        The whole record, ``version`` among it.

    Returns
    -------
    Response
    """
    return tagged(answers.ok(body), body["version"])


def require_match(version: int) -> None:
    """
    Hold the current request's ``If-Match`` against a record, once that is locked or read.

    Parameters
    ----------
    version : int
        The version that the record has now.

    Raises
    ------
    PreconditionFailed
        412, when the caller has read another one.
    """
    wanted = request.if_match
    if "If-Match" in request.headers and not wanted.contains(str(version)):
        raise PreconditionFailed(f"The record has been changed meanwhile: it is version {version}.")
