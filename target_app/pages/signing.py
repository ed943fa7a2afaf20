"""``/login`` and ``/logout``."""

from __future__ import annotations

from flask import Response, current_app, render_template, request
from sqlalchemy import bindparam, select
from werkzeug.security import check_password_hash

from target_app import database, sessions
from target_app.accounts import Account
from target_app.config import Config
from target_app.models import User, table_of
from target_app.pages import respond, see_other
from target_app.pages.registrar import Pages
from target_app.rules import Email, Refused

pages = Pages("signing")

_ADDRESS = Email(254)
_NEXT_LONGEST = 2000
_users = table_of(User)
_BY_EMAIL = select(_users.c.id, _users.c.password_hash, _users.c.is_active).where(
    _users.c.email == bindparam("email")
)


@pages.get("/login", allow=None)
def show_login(account: Account | None) -> Response:
    """
    Show the form for signing in.

    Parameters
    ----------
    account : Account or None
        Who is signed in already.

    Returns
    -------
    Response
        The page; or a redirect for who need not sign in.
    """
    if account is not None:
        return see_other(local(request.args.get("next", "")))
    return respond(render_template("login.html", next=local(request.args.get("next", ""))))


@pages.post("/login", allow=None)
def sign_in(account: Account | None) -> Response:
    """
    Take the form for signing in.

    Parameters
    ----------
    account : Account or None
        Who is signed in already, and will not be any more.

    Returns
    -------
    Response
        303 to the page that was asked for; or 422, the form again. It does not tell whether there
        is such an account, and takes as long when there is none.
    """
    del account
    email, password = request.form.get("email", ""), request.form.get("password", "")
    following = local(request.form.get("next", ""))
    user_id = _check(email, password)
    if user_id is None:
        html = render_template("login.html", next=following, email=email, failed=True)
        return respond(html, 422)
    sessions.sign_in(user_id)
    return see_other(following)


@pages.post("/logout", allow=None)
def sign_out(account: Account | None) -> Response:
    """
    End the session.

    Parameters
    ----------
    account : Account or None
        Who is signed in.

    Returns
    -------
    Response
        303 to the form for signing in.
    """
    del account
    sessions.sign_out()
    return see_other("/login")


def local(address: str) -> str:
    """
    Keep a redirect within these pages.

    Parameters
    ----------
    address : str
        Where somebody wants to be led; it comes from outside.

    Returns
    -------
    str
        The same, when it is a path of this server and nothing else; the overview's path if not.
    """
    # Browsers read a backslash as a slash and drop tabs and line breaks: //host is another server.
    plain = address.isprintable() and not {"\\", " "} & set(address)
    if not plain or not address.startswith("/") or address.startswith("//"):
        return "/"
    path = address.partition("?")[0].partition("#")[0]
    return "/" if path in {"/login", "/logout"} or len(address) > _NEXT_LONGEST else address


def _check(email: str, password: str) -> int | None:
    """Give the id of the active account that an e-mail address and a password belong to."""
    try:
        # Aside: hashing takes a tenth of a second, and nobody should wait for a lock meanwhile.
        found = database.rows_aside(_BY_EMAIL, email=_ADDRESS(email))
    except Refused:
        found = ()
    if not found:
        check_password_hash(_nobodys_hash(), password)
        return None
    user = found[0]
    fits = check_password_hash(user.password_hash, password)
    return user.id if fits and user.is_active else None


def _nobodys_hash() -> str:
    """Give a hash that no password has, as costly to check as those of the accounts."""
    config: Config = current_app.extensions["crm"]
    return f"scrypt:{2**config.options.password_cost}:8:1$nobody${'0' * 128}"
