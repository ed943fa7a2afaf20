"""The extension point: a package in this folder adds to the CRM, and nothing else knows of it.

A package is switched on by its name (``serve --extension loyalty``, or ``CRM_EXTENSIONS``). It
holds one `Extension` called ``extension``, which says what it adds:

- ``tables``: a MetaData of its own. Its tables are made before serving, so that a dataset need not
  be made again. They stay, with what is in them, when the extension is switched off again.
- ``api``: operations, described, enforced and documented like those of the core.
- ``pages``: pages, described and guarded like those of the core.
- ``connect``: subscribes to what happens in the core (`target_app.events`). A subscriber runs in
  the transaction of what happened: it stands or falls with it.
- ``customer_links``: what the page of a customer links to.

What is not switched on is not imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import MetaData

from target_app.api import Api
from target_app.options import OptionError
from target_app.pages.registrar import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something to go on to from a page."""

    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a package adds to the CRM; whatever it leaves out, it does not add."""

    name: str
    tables: MetaData
    api: Api | None = None
    pages: Pages | None = None
    connect: Callable[[Flask], None] | None = None
    customer_links: Callable[[int], Sequence[Link]] | None = None


def names() -> list[str]:
    """
    Name the extensions that there are.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def load(wanted: Iterable[str]) -> list[Extension]:
    """
    Import extensions.

    Parameters
    ----------
    wanted : iterable of str
        Their names.

    Returns
    -------
    list of Extension
        In the order of their names, each once.

    Raises
    ------
    OptionError
        When there is none of a name.
    """
    wanted = sorted(set(wanted))
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        raise OptionError(
            f"extension {', '.join(unknown)}: unknown; allowed are {', '.join(names())}"
        )
    return [importlib.import_module(f"{__name__}.{name}").extension for name in wanted]


def install(app: Flask, extensions: Sequence[Extension]) -> None:
    """
    Add extensions to an application; their operations are registered with those of the core.

    Parameters
    ----------
    app : Flask
        The application.
    extensions : sequence of Extension
        As `load` gives them.
    """
    app.extensions["crm_extensions"] = tuple(extensions)
    for extension in extensions:
        if extension.pages is not None:
            app.register_blueprint(extension.pages.blueprint)
        if extension.connect is not None:
            extension.connect(app)

    @app.context_processor
    def _links() -> dict[str, object]:
        return {"extension_links": lambda customer_id: customer_links(extensions, customer_id)}


def customer_links(extensions: Sequence[Extension], customer_id: int) -> list[Link]:
    """
    Collect what extensions link to from the page of a customer.

    Parameters
    ----------
    extensions : sequence of Extension
        Those that are switched on.
    customer_id : int
        Which customer.

    Returns
    -------
    list of Link
    """
    return [
        link
        for extension in extensions
        if extension.customer_links is not None
        for link in extension.customer_links(customer_id)
    ]
