"""Loads anybody's Locust users."""

from __future__ import annotations

import traceback
from argparse import Namespace
from pathlib import Path

from locust import User
from locust.argument_parser import get_parser
from locust.util.load_locustfile import load_locustfile

from scenarios.errors import LocustfileError


def load_users(path: Path) -> tuple[list[type[User]], bool]:
    """Load the users of a locustfile.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of (list of type, bool)
        Its user classes, and whether it has a load shape of its own.

    Raises
    ------
    LocustfileError
        When it raises while it loads, holds no users, or users without tasks.
    """
    try:
        classes, shapes = load_locustfile(str(path))
    except BaseException as error:  # sys.exit and a killed greenlet too
        where = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in where if Path(frame.filename) == path]
        line = f", line {inside[-1].lineno}" if inside else ""
        raise LocustfileError(
            f"{path}{line}: does not load: {type(error).__name__}: {error}",
            hint=f"try it alone with: python {path.name}",
        ) from error
    if not classes:
        raise LocustfileError(
            f"{path}: found no users in it; allowed: at least one class that is a "
            "locust User (HttpUser, FastHttpUser) and not abstract"
        )
    idle = [name for name, kind in classes.items() if not kind.tasks]
    if idle:
        raise LocustfileError(
            f"{path}: {', '.join(idle)}: found no tasks; allowed: at least one method with @task, "
            "or a list tasks"
        )
    return list(classes.values()), bool(shapes)


def default_options(host: str) -> Namespace:
    """Options as the ``locust`` command would parse them from nothing.

    Locustfiles read arguments of their own from ``environment.parsed_options``;
    configuration files in the home or the working folder are left alone.

    Parameters
    ----------
    host : str
        Base URL of the target.

    Returns
    -------
    Namespace
        With the defaults of the locustfile's own arguments.
    """
    parser = get_parser(default_config_files=[])
    options = parser.parse_args(["--headless", "--host", host])
    assert isinstance(options, Namespace)  # noqa: S101 - narrows an untyped call
    return options
