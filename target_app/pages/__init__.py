"""The HTML pages: for people, with sessions, without scripts.

Here is what every page has in common, the headers that keep it to itself. `registrar` describes a
page and guards it, `site` puts all of them into an application, and each other module holds the
pages of one subject.
"""

from flask import Flask, Response
from werkzeug.urls import iri_to_uri

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def install(app: Flask) -> None:
    """
    Have browsers take every answer of an application for what it says it is, and nothing else.

    Parameters
    ----------
    app : Flask
        The application.
    """

    @app.after_request
    def _no_sniffing(answer: Response) -> Response:
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def respond(html: str, status: int = 200) -> Response:
    """
    Answer with a page.

    Parameters
    ----------
    html : str
        The whole page, with everything in it escaped.
    status : int
        The HTTP status.

    Returns
    -------
    Response
    """
    answer = Response(html, status=status, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def see_other(location: str) -> Response:
    """
    Lead on to another page, after a form has been taken: reloading that one sends nothing again.

    Parameters
    ----------
    location : str
        A path of ours.

    Returns
    -------
    Response
        303.
    """
    answer = Response(status=303, mimetype="text/html")
    answer.headers["Location"] = iri_to_uri(location)
    answer.headers["Cache-Control"] = "no-store"
    return answer
