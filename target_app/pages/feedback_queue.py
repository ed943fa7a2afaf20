"""``/feedback/queue`` and ``/feedback/<id>``: what was told us, for those who answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request

from target_app import feedback, responses
from target_app.accounts import Account
from target_app.models import FEEDBACK_STATUSES
from target_app.pages import respond, see_other
from target_app.pages.forms import Form
from target_app.pages.registrar import Pages
from target_app.paging import PAGE
from target_app.problems import Conflict, Invalid
from target_app.rules import Choice
from target_app.validation import Parameter

pages = Pages("feedback_queue")

READERS = feedback.HANDLERS
"""The roles that answer feedback."""

_ROWS = 25
_LABELS = {"content": "Your answer"}
_STALE = "Somebody has changed this feedback since you opened it. This is what it is now."
_FILTERS = {
    "status": Parameter(Choice(FEEDBACK_STATUSES), default="new"),
    "after": PAGE["after"],
}
_DONE = {
    "answered": "Your answer is stored.",
    "resolved": "The feedback is resolved.",
}


@pages.get("/feedback/queue", allow=READERS, query=_FILTERS)
def show_queue(account: Account, query: Mapping[str, Any]) -> Response:
    """
    Show feedback of one status, newest first.

    Parameters
    ----------
    account : Account
        Who asks.
    query : mapping of str to object
        ``status``, and where to go on.

    Returns
    -------
    Response
        The page.
    """
    found = feedback.list_feedback(account, {**query, "limit": _ROWS}).get_json()
    html = render_template(
        "feedback_queue.html",
        items=found["items"],
        next=found["next"],
        query=query,
        statuses=FEEDBACK_STATUSES,
    )
    return respond(html)


@pages.get("/feedback/<record:feedback_id>", allow=READERS)
def show_feedback(account: Account, feedback_id: int) -> Response:
    """
    Show one piece of feedback with what was answered.

    Parameters
    ----------
    account : Account
        Who asks.
    feedback_id : int
        Which.

    Returns
    -------
    Response
        The page.
    """
    return _render(account, feedback_id, Form(_LABELS, {}))


@pages.post("/feedback/<record:feedback_id>/responses", allow=READERS, resource="feedback")
def answer_feedback(account: Account, feedback_id: int) -> Response:
    """
    Take an answer.

    Parameters
    ----------
    account : Account
        Who answers.
    feedback_id : int
        What.

    Returns
    -------
    Response
        303 to the page of the feedback; or 422, that page with what was typed.
    """
    form = Form.sent(_LABELS)
    try:
        feedback.respond(account, feedback_id, form.check(responses.SCHEMA)["content"])
    except Invalid as invalid:
        form.refuse(invalid)
        return _render(account, feedback_id, form)
    return see_other(f"/feedback/{feedback_id}?done=answered")


@pages.post("/feedback/<record:feedback_id>/resolve", allow=READERS, resource="feedback")
def resolve_feedback(account: Account, feedback_id: int) -> Response:
    """
    Take the button that says that nothing more is to be done.

    Parameters
    ----------
    account : Account
        Who says so.
    feedback_id : int
        Of what.

    Returns
    -------
    Response
        303 to the page of the feedback; or 409, that page, when somebody was faster.
    """
    form = Form(_LABELS, {})
    try:
        form.require_version(feedback.read(account, feedback_id, lock=True)["version"], _STALE)
        feedback.change_feedback(account, feedback_id, {"status": "resolved"})
    except Conflict as conflict:
        form.refuse(conflict)
        return _render(account, feedback_id, form)
    return see_other(f"/feedback/{feedback_id}?done=resolved")


def _render(account: Account, feedback_id: int, form: Form) -> Response:
    """Render the page of one piece of feedback."""
    html = render_template(
        "feedback_item.html",
        item=feedback.read(account, feedback_id),
        answers=responses.of_feedback(feedback_id),
        form=form,
        done=_DONE.get(request.args.get("done", "")),
    )
    return respond(html, form.status)
