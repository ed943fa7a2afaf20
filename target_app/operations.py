"""``/healthz``, ``/readyz``, ``/version``: for those who run it."""

import json
import os
import platform
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, current_app
from sqlalchemy import select, text

from target_app import answers, database
from target_app.config import Config
from target_app.models import Dataset, table_of

blueprint = Blueprint("operations", __name__)

_PACKAGES = ("flask", "flask-sqlalchemy", "sqlalchemy", "granian")
_PING = text("SELECT 1")
_MANIFEST = select(table_of(Dataset).c.manifest)


@blueprint.get("/healthz")
def health() -> Response:
    """
    Say that this process answers. The database is not asked.

    Returns
    -------
    Response
        ``instance`` repeats what the process was started with, to prove which server this is.
    """
    return answers.ok({"status": "ok", "instance": _config().instance, "pid": os.getpid()})


@blueprint.get("/readyz")
def ready() -> Response:
    """
    Say that the database answers.

    Returns
    -------
    Response
        200, or 503 by way of the database's own error.
    """
    database.rows(_PING)
    return answers.ok({"status": "ready", "instance": _config().instance, "pid": os.getpid()})


@blueprint.get("/version")
def show_version() -> Response:
    """
    Say what runs here: code, libraries, options, data.

    Returns
    -------
    Response
    """
    config = _config()
    found = database.rows(_MANIFEST)
    manifest: dict[str, Any] | None = json.loads(found[0][0]) if found else None
    return answers.ok(
        {
            "commit": config.commit,
            "python": platform.python_version(),
            "packages": {name: version(name) for name in _PACKAGES},
            "options": {
                "database": "sqlite",
                "threads": config.threads,
                "max_body_bytes": config.max_body_bytes,
                "busy_timeout_ms": config.busy_timeout_ms,
            },
            "dataset": manifest,
            "dataset_hash": manifest and manifest["dataset_hash"],
        }
    )


def _config() -> Config:
    """Give the options of the application that serves this request."""
    config: Config = current_app.extensions["crm"]
    return config
