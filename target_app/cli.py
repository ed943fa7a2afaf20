"""``python -m target_app``: make a dataset, copy it, serve it."""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path

import click

from target_app import preparing, served, server
from target_app.config import Config
from target_app.errors import DatasetError
from target_app.extensions import load as load_extensions
from target_app.options import NAMES, OptionError, Options
from target_app.seeding import commands
from target_app.usage import AppError, examples, mendable, refuse_password_in_sight


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "seed  --customers 20000 --seed 1 --data data",
        "reset --data data --to work/crm.sqlite",
        "serve --database work/crm.sqlite --port 8000",
    ),
)
def main() -> None:
    """Run the reference CRM: make a dataset, copy it, serve the copy."""


main.add_command(commands.seed)
main.add_command(commands.reset)


@main.command(
    epilog=examples(
        "serve --database work/crm.sqlite --port 8000 --threads 4",
        "serve --database work/crm.sqlite --option paging=offset --option n_plus_one=true",
    )
)
@click.option(
    "--database",
    required=True,
    envvar="CRM_DATABASE",
    metavar="FILE|FOLDER|URL",
    help="A SQLite file, the folder of a PostgreSQL cluster, or postgresql://USER@HOST/DATABASE; "
    "a URL with a password goes into the variable CRM_DATABASE. Requests change it, so serve a "
    "copy (see reset).",
)
@click.option(
    "--option",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="One of the published optimisations and defects; may be repeated. "
    f"Names: {', '.join(NAMES)}.",
)
@click.option(
    "--extension", "extensions", multiple=True, metavar="NAME", help="Module to switch on."
)
@click.option("--test-mode", is_flag=True, help="Answer the audit, which tells a test everything.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 128),
    default=4,
    show_default=True,
    help="Request threads, and database connections, of each worker.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 60_000),
    default=2048,
    show_default=True,
    help="Clients that may be connected at once, idle ones included.",
)
@click.option(
    "--access-log",
    envvar="CRM_ACCESS_LOG",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line of JSON per answered request.",
)
def serve(
    database: str,
    settings: tuple[str, ...],
    extensions: tuple[str, ...],
    test_mode: bool,
    host: str,
    port: int,
    workers: int,
    threads: int,
    connections: int,
    access_log: Path | None,
) -> None:
    """Serve a database until SIGTERM or Ctrl-C. This process becomes the server."""
    refuse_password_in_sight("database", database)
    options = _read_options(settings)
    _require_extensions(extensions)
    if access_log:
        _require_writable(access_log)
    _require_free(host, port)
    host = server.numeric(host)
    words = server.command(
        host=host, port=port, workers=workers, threads=threads, connections=connections
    )
    connected = workers * (options.pool_size or threads)
    with mendable(), server.holding(host, port), served.opened(database, connected) as store:
        config = Config(
            database=store.database,
            options=options,
            extensions=extensions,
            workers=workers,
            threads=threads,
            test_mode=test_mode,
            secret_key=os.environ.get("CRM_SECRET_KEY") or secrets.token_hex(32),
            access_log=access_log and access_log.absolute(),
            instance=os.environ.get("CRM_INSTANCE"),
            commit=server.commit_of_code(),
        )
        counted = served.metrics_folder(store)  # first: it tells whether somebody else serves it
        _make_ready(store, config)
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        click.echo(f"serving {store.shown} on http://{place}", err=True)
        server.replace_process(words, config, connections, counted)


def _read_options(settings: tuple[str, ...]) -> Options:
    """
    Read what was given with ``--option``.

    Raises
    ------
    AppError
        With every mistake there is.
    """
    try:
        return Options.parse(settings)
    except OptionError as error:
        raise AppError(f"--option: {error}") from error


def _require_extensions(names: tuple[str, ...]) -> None:
    """
    Refuse extensions that do not exist, before a worker fails over them.

    Raises
    ------
    AppError
        With all that are unknown.
    """
    try:
        load_extensions(names)
    except OptionError as error:
        raise AppError(f"--{error}") from error


def _make_ready(store: served.Served, config: Config) -> None:
    """
    Prepare a database; say what will become of a dataset that is served itself.

    Raises
    ------
    DatasetError
        When it cannot be served as it was asked for.
    """
    if store.is_dataset:
        click.echo(
            f"warning: {store.shown} is a dataset itself; requests will change it, and it will "
            "have to be made anew. Serve a copy: see python -m target_app reset --help",
            err=True,
        )
    try:
        preparing.prepare(config, is_dataset=store.is_dataset)
    except DatasetError as error:
        raise DatasetError(f"{store.shown}: {error}") from error


def _require_free(host: str, port: int) -> None:
    """
    Refuse an address that is taken, and say so when it is not only for this machine.

    Raises
    ------
    AppError
        When it is taken.
    """
    obstacle = server.taken(host, port)
    if obstacle:
        raise AppError(f"--host {host} --port {port}: {obstacle}. Name another one.")
    if not _is_loopback(host):
        click.echo(
            f"warning: listening on {host}: other machines can reach this server. The tokens and "
            "the password of its accounts follow from the dataset's seed, which /version tells.",
            err=True,
        )


def _require_writable(access_log: Path) -> None:
    """
    Refuse an access log that cannot be written, before a worker fails over it.

    Raises
    ------
    AppError
        When it is none.
    """
    try:
        access_log.open("ab").close()
    except OSError as error:
        raise AppError(
            f"--access-log {access_log}: cannot be written ({error.strerror})"
        ) from error


def _is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
