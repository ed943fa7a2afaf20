"""Reading a request's body as JSON, without trusting it."""

import json
from typing import Any, NoReturn

from flask import current_app, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType


def read(longest: int | None = None) -> bytes:
    """
    Read the body of the current request.

    Parameters
    ----------
    longest : int, optional
        How many bytes it may have; as many as the application allows everywhere when None.

    Returns
    -------
    bytes
        The whole body.

    Raises
    ------
    RequestEntityTooLarge
        413, when it is longer than allowed.
    BadRequest
        400, when less of it came than was announced: the sender is gone, and what did come may be a
        whole value by chance.
    """
    # A body that comes in chunks has no length to look at first. The framework would cut it at the
    # limit without a word: so it may read one byte more, and that one is the sign.
    limit: int = longest or current_app.config["MAX_CONTENT_LENGTH"]
    request.max_content_length = limit + 1
    announced = request.content_length or 0
    body = b"" if announced > limit else request.get_data()
    if max(announced, len(body)) > limit:
        raise RequestEntityTooLarge(f"The body is longer than {limit} bytes.")
    if len(body) < announced:
        raise BadRequest("The body ended before its Content-Length.")
    return body


def read_json(longest: int | None = None) -> object:
    """
    Parse the body of the current request.

    Parameters
    ----------
    longest : int, optional
        As of `read`.

    Returns
    -------
    object
        Whatever JSON value it holds.

    Raises
    ------
    UnsupportedMediaType
        415, when the body does not say that it is JSON.
    BadRequest
        400, when it is not JSON after all: not UTF-8, broken, nested too deep, NaN, a number of
        thousands of digits, or a member that is there twice, of which one would be lost.
    """
    if not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json.")
    body = read(longest)
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except _TwiceError:
        raise BadRequest("The body names a member of an object twice.") from None
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


class _TwiceError(ValueError):
    """A member of an object is there twice."""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """
    Make an object of its members.

    Raises
    ------
    _TwiceError
        When two have one name: the library would take the last, and say nothing.
    """
    made = dict(members)
    if len(made) < len(members):
        raise _TwiceError
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
