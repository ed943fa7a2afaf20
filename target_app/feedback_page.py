"""``/feedback``: the public form, and what others have said."""

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from target_app import bodies, database, feedback, pages
from target_app.paging import Listing
from target_app.problems import Invalid
from target_app.validation import check

blueprint = Blueprint("feedback_page", __name__)

_SHOWN = 10
# The e-mail address is ours to answer to, and not for everybody to read.
_LISTING = Listing(
    {name: feedback.FIELDS[name] for name in ("id", "name", "content", "score", "created_at")},
    key=("created_at", "id"),
)


@blueprint.get("/")
def home() -> AnyResponse:
    """
    Lead whoever opens the server's address to its page.

    Returns
    -------
    Response
        A redirect.
    """
    return redirect("/feedback")


@blueprint.get("/feedback")
def show() -> Response:
    """
    Show the form and the newest feedback.

    Returns
    -------
    Response
        The page; ``?after=`` turns to older feedback, ``?sent=`` says thank you.
    """
    return _render(values={}, errors={})


@blueprint.post("/feedback")
def send() -> AnyResponse:
    """
    Take the form.

    Returns
    -------
    Response
        303 to the page, so that reloading it sends nothing again; or 422, the same page with what
        was typed and a message at each field that is wrong.
    """
    bodies.read()
    values = {name: request.form.get(name, "") for name in feedback.FORM_SCHEMA}
    filled = {name: value for name, value in values.items() if value.strip()}
    try:
        record = feedback.store(check(feedback.FORM_SCHEMA, filled))
        database.commit()
    except Invalid as invalid:
        errors = {error.path.removeprefix("/"): error.message for error in invalid.errors}
        return _render(values, errors, status=422)
    return redirect(f"/feedback?sent={record['id']}", code=303)


def _render(values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    """Render the page with a form that holds values and errors."""
    page = _LISTING.page(_SHOWN, request.args.get("after"))
    html = render_template(
        "feedback.html",
        page=page,
        values=values,
        errors=errors,
        sent=request.args.get("sent", type=int),
        older="after" in request.args,
    )
    return pages.respond(html, status)
