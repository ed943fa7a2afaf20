"""``/feedback``: the public form, and what others have said."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, render_template, request

from target_app import caching, feedback
from target_app.accounts import Account
from target_app.pages import respond, see_other
from target_app.pages.forms import Form
from target_app.pages.registrar import Pages
from target_app.paging import PAGE, Listing, Page
from target_app.problems import Invalid

pages = Pages("feedback_form")

_SHOWN = 10
_CACHED_S = 5
# The e-mail address is ours to answer to, and not for everybody to read.
_LISTING = Listing(
    {name: feedback.FIELDS[name] for name in ("id", "name", "content", "score", "created_at")},
    key=("created_at", "id"),
)
_LABELS = {"content": "Your feedback", "name": "Your name", "email": "Your e-mail address"}


@pages.get("/feedback", allow=None, query={"after": PAGE["after"]}, cached_s=_CACHED_S)
def show_form(account: Account | None, query: Mapping[str, str | None]) -> Response:
    """
    Show the form and the newest feedback.

    Parameters
    ----------
    account : Account or None
        Who is signed in.
    query : mapping of str to object
        ``after``: turns to older feedback.

    Returns
    -------
    Response
        The page; ``?sent=`` says thank you.
    """
    own = {"name": account.name[:50], "email": account.email} if account else {}
    return _render(Form(_LABELS, own), query["after"])


@pages.post("/feedback", allow=None, cached_s=_CACHED_S, resource="feedback")
def send_form(account: Account | None) -> Response:
    """
    Take the form.

    Parameters
    ----------
    account : Account or None
        Who is signed in.

    Returns
    -------
    Response
        303 to the page, so that reloading it sends nothing again; or 422, the same page with what
        was typed and a message at each field that is wrong.
    """
    form = Form.sent(_LABELS)
    try:
        body = form.check(feedback.FORM_SCHEMA)
    except Invalid as invalid:
        form.refuse(invalid)
        return _render(form, None)
    record = feedback.store(body, feedback.own(account))
    return see_other(f"/feedback?sent={record['id']}")


def _newest(after: str | None) -> Page:
    return _LISTING.page(_SHOWN, after)


def _render(form: Form, after: str | None) -> Response:
    """Render the page with a form that holds values and errors."""
    html = render_template(
        "feedback.html",
        page=caching.remember(("feedback", "form", after), _CACHED_S, lambda: _newest(after)),
        form=form,
        sent=request.args.get("sent", type=int),
        older=after is not None,
    )
    return respond(html, form.status)
