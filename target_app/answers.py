"""JSON answers, quick: the standard encoder with its C path, and nothing in between."""

from collections.abc import Mapping
from json import JSONEncoder

from flask import Response

encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def ok(body: Mapping[str, object]) -> Response:
    """
    Answer 200 with a JSON object.

    Parameters
    ----------
    body : mapping of str to object
        The object.

    Returns
    -------
    Response
    """
    return Response(encode(body), mimetype="application/json")


def created(location: str, body: Mapping[str, object]) -> Response:
    """
    Answer 201 with a record that has just been made.

    Parameters
    ----------
    location : str
        Where it can be read from now on.
    body : mapping of str to object
        The whole record.

    Returns
    -------
    Response
    """
    answer = ok(body)
    answer.status_code = 201
    answer.headers["Location"] = location
    return answer
