"""Sessions: who is signed in at the pages, and the tokens of the forms that they were given.

A session is a signed cookie that holds the user's id and the secret of the tokens, and nothing
else. The server keeps none: signing out takes the cookie from the browser, and who has copied it
before could use it until it ends. Closing an account ends its sessions within seconds.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, g, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from werkzeug.exceptions import BadRequest

from target_app import accounts
from target_app.accounts import Account
from target_app.config import Config

COOKIE = "crm_session"
LIFETIME = timedelta(hours=12)
_USER = "user_id"

_forms = CSRFProtect()


def install(app: Flask, config: Config) -> None:
    """
    Give an application sessions.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Holds the key that signs them.
    """
    app.config |= {
        "SECRET_KEY": config.secret_key,
        "SESSION_COOKIE_NAME": COOKIE,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": LIFETIME,
        "SESSION_REFRESH_EACH_REQUEST": False,  # it ends so long after signing in, used or not
        # A page checks its forms itself, inside of the cache that may surround it.
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,  # a form is good for as long as its session
    }
    _forms.init_app(app)


def viewer() -> Account | None:
    """
    Give the account that is signed in.

    Returns
    -------
    Account or None
        None, when there is none, or it has been closed.
    """
    if "viewer" not in g:
        g.viewer = None  # and stays so if the database does not answer: an error page asks again
        user_id = session.get(_USER)
        if isinstance(user_id, int):
            g.viewer = accounts.by_id(user_id)
    account: Account | None = g.viewer
    return account


def sign_in(user_id: int) -> None:
    """
    Begin a session; whatever was in the one before is gone, and so are the tokens of its forms.

    Parameters
    ----------
    user_id : int
        Whose.
    """
    _begin_anew()
    session[_USER] = user_id
    session.permanent = True
    generate_csrf()  # now, so that the cookie is never sent again, and ends when it says


def sign_out() -> None:
    """End the session."""
    _begin_anew()


def check_form() -> None:
    """
    Make sure that the form of the current request was given to this session.

    Raises
    ------
    BadRequest
        400, when it was not: another site may have sent it.
    """
    try:
        _forms.protect()
    except CSRFError:
        raise BadRequest(
            "This form does not belong to your session. Perhaps you have signed in or out since "
            "it was shown, or your browser keeps no cookies."
        ) from None


def _begin_anew() -> None:
    session.clear()
    g.pop("viewer", None)
    g.pop("csrf_token", None)
