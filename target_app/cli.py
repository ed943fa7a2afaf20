"""``python -m target_app``: make a dataset, copy it, serve it."""

from __future__ import annotations

import ipaddress
import os
import sqlite3
from pathlib import Path

import click

from target_app import server
from target_app.config import Config
from target_app.seeding import commands
from target_app.usage import AppError, examples


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


@main.command(epilog=examples("serve --database work/crm.sqlite --port 8000 --threads 4"))
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    required=True,
    help="The SQLite file; requests change it, so serve a copy (see reset).",
)
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
    database: Path,
    host: str,
    port: int,
    workers: int,
    threads: int,
    connections: int,
    access_log: Path | None,
) -> None:
    """Serve a database until SIGTERM or Ctrl-C. This process becomes the server."""
    _require_crm(database)
    if access_log:
        _require_writable(access_log)
    _require_free(host, port)
    config = Config(
        database=database.absolute(),
        threads=threads,
        access_log=access_log and access_log.absolute(),
        instance=os.environ.get("CRM_INSTANCE"),
        commit=server.commit_of_code(),
    )
    words = server.command(
        host=host, port=port, workers=workers, threads=threads, connections=connections
    )
    click.echo(f"serving {database} on http://{host}:{port}", err=True)
    server.replace_process(words, config, connections)


def _require_crm(database: Path) -> None:
    """
    Refuse a file that is no database of ours, before a worker fails over it.

    Raises
    ------
    AppError
        When it is none.
    """
    hint = (
        "Make one: python -m target_app seed --data DIR, then "
        f"python -m target_app reset --data DIR --to {database}"
    )
    if not database.is_file():
        raise AppError(f"--database {database}: there is no such file. {hint}")
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)
        try:
            connection.execute("SELECT id FROM customers LIMIT 1")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise AppError(f"--database {database}: is no CRM database ({error}). {hint}") from error
    if (database.parent / "manifest.json").is_file():
        click.echo(
            f"warning: {database} is a dataset itself; requests will change it, and it will have "
            "to be made anew. Serve a copy: see python -m target_app reset --help",
            err=True,
        )


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
        click.echo(f"warning: listening on {host}: other machines can reach this server", err=True)


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
