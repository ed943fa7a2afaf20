"""The system under test: a reference CRM.

Customers, products, orders and feedback, as a JSON API under ``/api/v1`` and as pages, over SQLite
or PostgreSQL. ``python -m target_app seed`` makes a dataset, ``serve`` serves a copy of it.
"""

from flask import Flask

from target_app import (
    accounts,
    activities,
    audit,
    caching,
    customers,
    database,
    extensions,
    feedback,
    insights,
    openapi,
    operations,
    orders,
    pages,
    problems,
    products,
    search,
    synthetic,
    telemetry,
)
from target_app.config import Config
from target_app.ids import RecordId
from target_app.pages import site

__all__ = ["Config", "create_app"]

RESOURCES = (
    customers.api,
    activities.api,
    products.api,
    orders.api,
    feedback.api,
    search.api,
    insights.api,
)
"""The JSON API, all of it."""


def create_app(config: Config) -> Flask:
    """
    Make the application.

    Parameters
    ----------
    config : Config
        What this instance serves and how.

    Returns
    -------
    Flask
        A WSGI application with its own engine and connection pool.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.extensions["crm"] = config
    app.url_map.converters["record"] = RecordId
    # Else an address with two slashes leads to http://HOST/..., with whatever Host was sent.
    app.url_map.merge_slashes = False
    database.install(app, config)
    pages.install(app)
    problems.install(app)
    accounts.install(app)
    caching.install(app, config)
    added = extensions.load(config.extensions)
    resources = [*RESOURCES, *(e.api for e in added if e.api is not None)]
    if config.test_mode:
        resources.append(audit.api)
    if config.options.synthetic:
        synthetic.install(app, config)
        resources.append(synthetic.api)
    for resource in resources:
        app.register_blueprint(resource.blueprint, url_prefix=resource.prefix or None)
    openapi.install(app, resources)
    extensions.install(app, added)
    site.install(app, config)
    app.register_blueprint(operations.blueprint)
    telemetry.install(app, config)
    return app
