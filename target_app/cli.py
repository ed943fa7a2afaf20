"""``python -m target_app``: make a dataset, copy it, serve it."""

from __future__ import annotations

import ipaddress
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from target_app import server
from target_app.config import Config
from target_app.errors import DatasetError

_CUSTOMERS_MAX = 5_000_000


def _examples(*lines: str) -> str:
    """Write the end of a help text."""
    return "\b\nExample:\n" + "\n".join(f"  python -m target_app {line}" for line in lines)


class AppError(click.ClickException):
    """Something the user can mend; exit code 2, nothing was done."""

    exit_code = 2


@contextmanager
def _mendable() -> Iterator[None]:
    """
    Say what went wrong in a line, instead of a traceback.

    Raises
    ------
    AppError
        For what the user can mend.
    """
    try:
        yield
    except (DatasetError, OSError) as error:
        raise AppError(str(error)) from error


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_examples(
        "seed  --customers 20000 --seed 1 --data data",
        "reset --data data --to work/crm.sqlite",
        "serve --database work/crm.sqlite --port 8000",
    ),
)
def main() -> None:
    """Run the reference CRM: make a dataset, copy it, serve the copy."""


@main.command(epilog=_examples("seed --customers 20000 --seed 1 --data data"))
@click.option(
    "--customers",
    type=click.IntRange(1, _CUSTOMERS_MAX),
    default=20_000,
    show_default=True,
    help="How many customers; orders and feedback follow from it.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Decides the rows: the same seed gives the same rows.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the dataset.  [default: one by parameters in the user's cache]",
)
@click.option("--force", is_flag=True, help="Make it anew, whatever is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def seed(customers: int, seed: int, data: Path | None, force: bool, as_json: bool) -> None:
    """Make a dataset, or find it where it was made before; print its folder."""
    # Faker and numpy take half a second to import, which the server has no use for.
    from target_app import seeding  # noqa: PLC0415

    folder = (data or seeding.default_folder(customers, seed)).absolute()
    with _mendable():
        found = seeding.seed(folder, customers=customers, seed=seed, force=force)
    manifest = found.manifest.to_json()
    if as_json:
        line = {"dir": str(folder), "database": str(found.database), "remark": found.remark}
        click.echo(json.dumps(line | {"manifest": manifest}))
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in found.manifest.rows.items())
    click.echo(f"{found.remark}: {rows}; hash {found.manifest.dataset_hash[:12]}", err=True)
    click.echo(folder)


@main.command(epilog=_examples("reset --data data --to work/crm.sqlite"))
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Folder of the dataset."
)
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The copy; a file that is there is replaced, with its journals.",
)
def reset(data: Path, target: Path) -> None:
    """Make a fresh working copy of a dataset; print its path."""
    from target_app import seeding  # noqa: PLC0415 - as above

    with _mendable():
        click.echo(seeding.copy_dataset(data, target))


@main.command(epilog=_examples("serve --database work/crm.sqlite --port 8000 --threads 4"))
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
