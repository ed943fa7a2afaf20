"""Where a redirect leads, and as what (RFC 9110, 15.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urljoin

from loadtests.generator.client.origin import Origin
from loadtests.generator.client.response import Response

MAX_REDIRECTS = 10
_SEE_OTHER = 303
_AS_BROWSERS_DO = frozenset({301, 302})
_KEEPING = frozenset({307, 308})
_ALL = _AS_BROWSERS_DO | _KEEPING | {_SEE_OTHER}
_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})


class Redirects:
    """What follows from the redirects in the answers to one request.

    Parameters
    ----------
    may_follow : callable
        Given the URL that was asked for and where the answer points: may load go there?
    """

    def __init__(self, may_follow: Callable[[str, str], bool]) -> None:
        self._may_follow = may_follow
        self._url: str | None = None

    def leads_on(self, response: Response) -> bool:
        """Tell whether an answer is a redirect that is followed; remember where to.

        Parameters
        ----------
        response : Response
            The answer.

        Returns
        -------
        bool
            True when :meth:`take` will give the URL.
        """
        location = response.headers.get("location") if response.status in _ALL else None
        if not location:
            return False
        try:
            url = urljoin(response.url, location)
            Origin.of(url)
            if not self._may_follow(response.url, location):
                return False
        except ValueError:
            return False  # no URL
        self._url = url
        return True

    def take(self) -> str | None:
        """Take the URL that is to be asked for next, if any."""
        url, self._url = self._url, None
        return url


def method_after(status: int, method: str) -> tuple[str, bool]:
    """Tell as what a redirect is followed.

    Parameters
    ----------
    status : int
        Of the redirect.
    method : str
        That was answered so.

    Returns
    -------
    tuple of (str, bool)
        The method, and whether the body is sent again.
    """
    if status == _SEE_OTHER:
        return ("HEAD" if method == "HEAD" else "GET"), False
    if status in _AS_BROWSERS_DO and method == "POST":
        return "GET", False
    return method, True


def headers_after(
    headers: Mapping[str, str], *, keeps_body: bool, same_origin: bool
) -> dict[str, str]:
    """Tell which of a request's own headers go with it to where it was redirected.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request.
    keeps_body : bool
        Whether its body is sent again.
    same_origin : bool
        Whether it stays on the server: no other gets its credentials.

    Returns
    -------
    dict of str to str
        Those that do.
    """
    dropped = (set() if same_origin else _SECRETS) | (set() if keeps_body else {"content-type"})
    return {name: value for name, value in headers.items() if name.lower() not in dropped}
