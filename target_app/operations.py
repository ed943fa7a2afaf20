"""``/healthz``, ``/readyz``, ``/version``, ``/metrics``: for those who run it."""

import json
import os
import platform
import sqlite3
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, current_app, request
from sqlalchemy import MetaData, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from target_app import answers, database, extensions, metrics
from target_app.config import Config
from target_app.models import Base, Dataset, table_of
from target_app.problems import Busy

blueprint = Blueprint("operations", __name__)

_PACKAGES = ("flask", "flask-caching", "flask-sqlalchemy", "granian", "psycopg", "sqlalchemy")
_SERVER_VERSION = text("SHOW server_version")
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
    Say that the database answers, and holds every table that this server needs.

    Returns
    -------
    Response
        200.

    Raises
    ------
    Busy
        503 with the reason, when requests could not be served.
    """
    needed = [Base.metadata, *(each.tables for each in extensions.load(_config().extensions))]
    try:
        missing = _missing(needed)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Busy(f"The database does not answer: {reason}") from error
    if missing:
        raise Busy(f"The database lacks tables: {', '.join(missing)}.")
    return answers.ok({"status": "ready", "instance": _config().instance, "pid": os.getpid()})


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """
    Tell Prometheus what has been counted and measured, by all workers.

    Returns
    -------
    Response
        Those that ``name[]`` asks for, which may be repeated; without it all.
    """
    names = frozenset(request.args.getlist("name[]"))
    exposed = metrics.of(current_app).expose(names)
    return Response(exposed, content_type=metrics.CONTENT_TYPE)


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
            "options": config.options.to_json(),
            "extensions": config.extensions,
            "database": _database(config),
            "workers": config.workers,
            "threads": config.threads,
            "test_mode": config.test_mode,
            "max_body_bytes": config.max_body_bytes,
            "busy_timeout_ms": config.busy_timeout_ms,
            "dataset": manifest,
            "dataset_hash": manifest and manifest["dataset_hash"],
        }
    )


def _missing(needed: list[MetaData]) -> list[str]:
    """Name the tables that should be there and are not."""
    with database.aside() as connection:
        there = set(inspect(connection).get_table_names())
    return sorted(name for tables in needed for name in tables.tables if name not in there)


def _database(config: Config) -> dict[str, str]:
    """Say what kind of database it is, and which version of it."""
    if config.postgres_url is None:
        return {"kind": "sqlite", "version": sqlite3.sqlite_version}
    (found,) = database.rows(_SERVER_VERSION)
    return {"kind": "postgres", "version": found[0].partition(" ")[0]}


def _config() -> Config:
    """Give the options of the application that serves this request."""
    config: Config = current_app.extensions["crm"]
    return config
