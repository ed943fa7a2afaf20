"""Datasets: made from a seed, kept in a folder, known by a hash.

``pools`` asks Faker for names and sentences, ``shapes`` draws numbers, ``compose`` makes columns of
both, ``writing`` puts them into a database, ``manifest`` says what came out, and ``dataset`` keeps
all of it in a folder. Nothing here reads a clock: the same parameters give the same rows.
"""

from target_app.errors import DatasetError
from target_app.seeding.dataset import Found, copy_dataset, default_folder, seed
from target_app.seeding.manifest import Manifest

__all__ = ["DatasetError", "Found", "Manifest", "copy_dataset", "default_folder", "seed"]
