"""Bringing a working copy into the state that the options ask for, before it is served.

Whatever it was served with before: who drops an index now, and serves the same copy without that
option next, gets it back. The tables of an extension alone stay, since rows are in them.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Index, inspect, select, update
from sqlalchemy.exc import DBAPIError

from target_app import engines, extensions, passwords
from target_app.config import Config
from target_app.errors import DatasetError
from target_app.models import Base, Dataset, User, table_of
from target_app.options import index_names

_users = table_of(User)
_FIRST_HASH = select(_users.c.password_hash).order_by(_users.c.id).limit(1)
_MANIFEST = select(table_of(Dataset).c.manifest)


def prepare(config: Config, *, is_dataset: bool) -> None:
    """
    Do to a database what its options ask for; nothing, when that has been done.

    Parameters
    ----------
    config : Config
        The database and its options.
    is_dataset : bool
        Whether it is a dataset itself, which may not be changed in this way.

    Raises
    ------
    DatasetError
        When it may not, was made by another version, or holds nothing that tells how.
    """
    try:
        with engines.alone(config) as connection:
            _require_tables(connection)
            wrong = _indexes_to_change(connection, frozenset(config.options.drop_index))
            cost_differs = _cost(connection) not in {None, config.options.password_cost}
            if is_dataset and (wrong or cost_differs or config.extensions):
                raise DatasetError(
                    "a dataset itself is served as it is: drop_index, password_cost and extensions "
                    "change the database. Serve a copy: see python -m target_app reset --help"
                )
            for index in wrong:
                if index.name in config.options.drop_index:
                    index.drop(connection)
                else:
                    index.create(connection)
            if cost_differs:
                _hash_anew(connection, config.options.password_cost)
            for extension in extensions.load(config.extensions):
                extension.tables.create_all(connection)
    except DBAPIError as error:
        raise DatasetError(f"cannot be made ready to be served: {_said(error)}") from error


def _require_tables(connection: Connection) -> None:
    """
    Refuse a database that was made by another version, before requests fail over it.

    Raises
    ------
    DatasetError
        When a table or a column is not there.
    """
    for table in Base.metadata.sorted_tables:
        try:
            connection.execute(select(table).limit(0))
        except DBAPIError as error:
            raise DatasetError(
                f"was made by another version of this program ({_said(error)}). Make dataset and "
                "copy anew: see python -m target_app seed --help"
            ) from error


def _said(error: DBAPIError) -> str:
    """Give what the database said, without the statement and how to look for help."""
    return str(error.orig).partition("\n")[0]


def _indexes_to_change(connection: Connection, unwanted: frozenset[str]) -> list[Index]:
    """List the indexes that are there and should not be, and the other way round."""
    inspector = inspect(connection)
    droppable = index_names()
    return [
        index
        for table in Base.metadata.sorted_tables
        for there in [{found["name"] for found in inspector.get_indexes(table.name)}]
        for index in sorted(table.indexes, key=lambda index: str(index.name))
        if index.name in droppable and (index.name in there) == (index.name in unwanted)
    ]


def _cost(connection: Connection) -> int | None:
    """Read the cost of the seeded accounts' password; None when there are no accounts."""
    found = connection.execute(_FIRST_HASH).scalar()
    # scrypt:N:r:p$salt$digest
    return int(found.split(":")[1]).bit_length() - 1 if found else None


def _hash_anew(connection: Connection, cost: int) -> None:
    """
    Hash the password of the seeded accounts again: it is one for all of them.

    Raises
    ------
    DatasetError
        When the database does not know the seed, from which the password follows.
    """
    # It imports Faker and numpy, for which a start has no use otherwise.
    from target_app.seeding import accounts  # noqa: PLC0415

    found = connection.execute(_MANIFEST).scalar()
    if found is None:
        raise DatasetError(
            "password_cost: this database was not made by seeding, so its password is not known"
        )
    manifest: dict[str, Any] = json.loads(found)
    seed: int = manifest["seed"]
    old = connection.execute(_FIRST_HASH).scalar_one()
    new = passwords.hash_password(accounts.password_of(seed), accounts.salt_of(seed), cost)
    connection.execute(
        update(_users).where(_users.c.password_hash == old).values(password_hash=new)
    )
