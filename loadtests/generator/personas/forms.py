"""What pages of the CRM are read for: the token of a form, who is signed in."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

_TOKEN_FIELD = re.compile(r"<input\b[^>]*\bname=[\"']?csrf_token\b[^>]*>")
_VALUE = re.compile(r"\bvalue=(?:\"([^\"]*)\"|'([^']*)')")
_VIEWER = re.compile(r"<span class=\"me\"><bdi>(.*?)</bdi>", re.S)


def has_form(page: Any) -> str | None:
    """Check that a page holds a form that can be sent.

    Parameters
    ----------
    page : object
        HTML.

    Returns
    -------
    str or None
        What is wrong.
    """
    if not isinstance(page, str) or "<form" not in page:
        return "the page has no form"
    return None if form_token(page) else "the form has no CSRF token"


def form_token(page: str) -> str | None:
    """Find what a page's form must be sent with, to prove that it was read here.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    str or None
        The value of the hidden field; None when there is none.
    """
    field = _TOKEN_FIELD.search(page)
    value = _VALUE.search(field[0]) if field else None
    return unescape(value[1] or value[2] or "") or None if value else None


def shown_to(page: Any) -> str | None:
    """Find who is signed in, as a page says.

    Parameters
    ----------
    page : object
        HTML.

    Returns
    -------
    str or None
        The name; None when nobody is.
    """
    found = _VIEWER.search(page) if isinstance(page, str) else None
    return unescape(found[1]) if found else None
