"""Reading a request's body as JSON, without trusting it."""

import json
from typing import NoReturn

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType


def read_json() -> object:
    """
    Parse the body of the current request.

    Returns
    -------
    object
        Whatever JSON value it holds.

    Raises
    ------
    UnsupportedMediaType
        415, when the body does not say that it is JSON.
    BadRequest
        400, when it is not JSON after all: not UTF-8, broken, nested too deep, NaN, or a number
        of thousands of digits.
    """
    if not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json.")
    body = request.get_data(cache=False)  # beyond the limit: 413
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise BadRequest("The body is nested too deep.") from None
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg} at character {error.pos}."
        raise BadRequest(message) from None
    except ValueError:
        raise BadRequest("The body is not JSON in UTF-8 with numbers of sane length.") from None


def _refuse_constant(name: str) -> NoReturn:
    """
    Refuse NaN and Infinity, which Python would read and JSON does not know.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(name)
