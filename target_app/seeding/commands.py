"""``seed`` and ``reset``: make a dataset, copy it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from target_app import seeding
from target_app.seeding.manifest import ACCOUNTS, LOCALES
from target_app.usage import examples, mendable, refuse_password_in_sight

_CUSTOMERS_MAX = 5_000_000


@click.command(
    epilog=examples(
        "seed --customers 20000 --seed 1 --data data",
        "seed --customers 1000000 --locale zh_CN --database postgres --data data",
    )
)
@click.option(
    "--customers",
    type=click.IntRange(1, _CUSTOMERS_MAX),
    default=20_000,
    show_default=True,
    help="How many customers; orders, activities and feedback follow from it.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Decides the rows: the same seed gives the same rows.",
)
@click.option(
    "--accounts",
    type=click.IntRange(1, 5_000),
    default=ACCOUNTS,
    show_default=True,
    help="Accounts of each role, each with a token: as many users as can be simulated apart.",
)
@click.option(
    "--locale",
    type=click.Choice(LOCALES),
    default=LOCALES[0],
    show_default=True,
    help="Of names and texts.",
)
@click.option(
    "--database",
    envvar="CRM_SEED_DATABASE",
    default="sqlite",
    show_default=True,
    help="sqlite, postgres (one of our own, stopped afterwards), or the URL of a server, which "
    "then keeps the dataset as a template; a URL with a password goes into the variable "
    "CRM_SEED_DATABASE.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the dataset.  [default: one by parameters in the user's cache]",
)
@click.option("--force", is_flag=True, help="Make it anew, whatever is there.")
@click.option("--verify", is_flag=True, help="Read every row and compare the hash of all.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def seed(
    customers: int,
    seed: int,
    accounts: int,
    locale: str,
    database: str,
    data: Path | None,
    force: bool,
    verify: bool,
    as_json: bool,
) -> None:
    """Make a dataset, or find it where it was made before; print its folder."""
    with mendable():
        refuse_password_in_sight("database", database)
        folder = data or seeding.default_folder(
            customers, seed, accounts=accounts, locale=locale, database=database
        )
        folder = folder.absolute()
        found = seeding.seed(
            folder,
            customers=customers,
            seed=seed,
            accounts=accounts,
            locale=locale,
            database=database,
            force=force,
        )
        if verify:
            seeding.verify(folder)
    if as_json:
        line = {
            "dir": str(folder),
            "database": str(found.place),
            "accounts": str(found.accounts),
            "remark": found.remark,
            "manifest": found.manifest.to_json(),
        }
        click.echo(json.dumps(line))
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in found.manifest.rows.items())
    checked = ", as its rows have" if verify else ""
    click.echo(
        f"{found.remark}: {rows}; hash {found.manifest.dataset_hash[:12]}{checked}", err=True
    )
    click.echo(folder)


@click.command(
    epilog=examples(
        "reset --data data --to work/crm.sqlite",
        "reset --data data --to postgresql://user@host/crm",
    )
)
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Folder of the dataset."
)
@click.option(
    "--to",
    "target",
    envvar="CRM_RESET_TO",
    required=True,
    help="The copy: a file, a folder (PostgreSQL), or the URL of a database (a dataset on a "
    "server; with a password, in the variable CRM_RESET_TO). A copy that is there is replaced.",
)
def reset(data: Path, target: str) -> None:
    """Make a fresh working copy of a dataset; print its path."""
    with mendable():
        refuse_password_in_sight("target", target)
        click.echo(seeding.reset(data, target))
