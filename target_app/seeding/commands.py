"""``seed`` and ``reset``: make a dataset, copy it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from target_app.usage import examples, mendable

_CUSTOMERS_MAX = 5_000_000


@click.command(epilog=examples("seed --customers 20000 --seed 1 --data data"))
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
    default=500,
    show_default=True,
    help="Accounts of each role, each with a token: as many users as can be simulated apart.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the dataset.  [default: one by parameters in the user's cache]",
)
@click.option("--force", is_flag=True, help="Make it anew, whatever is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def seed(
    customers: int, seed: int, accounts: int, data: Path | None, force: bool, as_json: bool
) -> None:
    """Make a dataset, or find it where it was made before; print its folder."""
    # Faker and numpy take half a second to import, which the server has no use for.
    from target_app import seeding  # noqa: PLC0415

    folder = (data or seeding.default_folder(customers, seed, accounts)).absolute()
    with mendable():
        found = seeding.seed(folder, customers=customers, seed=seed, accounts=accounts, force=force)
    manifest = found.manifest.to_json()
    if as_json:
        line = {
            "dir": str(folder),
            "database": str(found.database),
            "accounts": str(found.accounts),
            "remark": found.remark,
        }
        click.echo(json.dumps(line | {"manifest": manifest}))
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in found.manifest.rows.items())
    click.echo(f"{found.remark}: {rows}; hash {found.manifest.dataset_hash[:12]}", err=True)
    click.echo(folder)


@click.command(epilog=examples("reset --data data --to work/crm.sqlite"))
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

    with mendable():
        click.echo(seeding.copy_dataset(data, target))
