"""What every HTML page has in common: the headers that keep it to itself."""

from flask import Flask, Response

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
