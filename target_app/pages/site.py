"""All pages of the CRM, put into an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from target_app import sessions
from target_app.accounts import STAFF, Account
from target_app.config import Config
from target_app.pages import (
    dashboard,
    editing,
    feedback_form,
    feedback_queue,
    formats,
    orders,
    portfolio,
    signing,
)

SUBJECTS = (
    signing.pages,
    dashboard.pages,
    portfolio.pages,
    editing.pages,
    orders.pages,
    feedback_form.pages,
    feedback_queue.pages,
)


def install(app: Flask, config: Config) -> None:
    """
    Give an application its pages, and the sessions that they need.

    Parameters
    ----------
    app : Flask
        The application.
    config : Config
        Holds the key of the sessions.
    """
    sessions.install(app, config)
    formats.install(app)
    app.context_processor(_context)
    for subject in SUBJECTS:
        app.register_blueprint(subject.blueprint)


def _context() -> dict[str, Any]:
    """Give every template who is signed in, and where there is to go."""
    try:
        viewer = sessions.viewer()
    except SQLAlchemyError:  # on a page that says that the database is busy
        viewer = None
    return {"viewer": viewer, "places": _places(viewer), "address_of": _address}


def _places(viewer: Account | None) -> list[tuple[str, str, str]]:
    """List the navigation: addresses, names, and how the addresses of a whole section begin."""
    if viewer is None:
        return [("/feedback", "Feedback", "/feedback")]
    places = [("/", "Overview", "/orders")]
    if viewer.role in STAFF:
        places = [("/", "Overview", "/"), ("/customers", "Customers", "/customers")]
    if viewer.role in feedback_queue.READERS:
        places += [("/feedback/queue", "Feedback", "/feedback")]
    if viewer.customer_id is not None:
        record = f"/customers/{viewer.customer_id}"
        places += [(record, "My record", record)]
    if viewer.role == "portal":
        places += [("/feedback", "Feedback", "/feedback")]
    return places


def _address(query: Mapping[str, str | None], **changed: str | None) -> str:
    """Write a query, with some of it changed, as it stands in an address."""
    wanted = {name: value for name, value in {**query, **changed}.items() if value is not None}
    return f"?{urlencode(wanted)}" if wanted else ""
