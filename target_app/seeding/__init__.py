"""Datasets: made from a seed, kept in a folder, known by a hash.

``pools`` asks Faker for names and sentences, ``shapes``, ``calendar`` and ``texts`` draw, the
modules of tables (``users``, ``customers``, ``sales``, ``dealings``) make columns of both,
``compose`` puts them in order and hashes them, ``composer`` does so in a process of its own,
``sqlite`` and ``postgres`` fill databases, a store keeps one, ``manifest`` says what came out, and
``dataset`` keeps all of it in a folder. Nothing here reads a clock: the same parameters give the
same rows.

Importing this brings neither Faker nor numpy: they take half a second, for which a server that only
serves has no use.
"""

from target_app.errors import DatasetError
from target_app.seeding.dataset import Found, copy_dataset, default_folder, reset, seed, verify
from target_app.seeding.manifest import Manifest, Recipe

__all__ = [
    "DatasetError",
    "Found",
    "Manifest",
    "Recipe",
    "copy_dataset",
    "default_folder",
    "reset",
    "seed",
    "verify",
]
