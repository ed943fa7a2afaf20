"""What a dataset is: its parameters, what made it, what came out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from typing import Any, cast

FORMAT = 3
"""Of the rows and of this file. Raise it when the same seed gives other rows.

History: 1, customers, products, orders with items, feedback; 2, users with tokens, activities,
responses, search keys, seasons, stated defects, two locales, a hash by columns; 3, the owner of an
order and of feedback."""

EPOCH = "2026-01-01T00:00:00.000000Z"
"""The dataset's own present. Frozen, so that no row depends on the day it was made."""

ACCOUNTS = 500
"""How many accounts each role has, unless somebody asks for more."""

LOCALES = ("en_US", "zh_CN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that the rows depend on. Equal recipes give equal rows."""

    customers: int
    seed: int
    accounts: int = ACCOUNTS
    """How many each role has."""
    locale: str = LOCALES[0]
    format: int = FORMAT
    epoch: str = EPOCH
    faker: str = field(default_factory=lambda: version("faker"))
    numpy: str = field(default_factory=lambda: version("numpy"))

    def asked(self) -> dict[str, Any]:
        """
        Give the part that somebody asked for; the rest is what this program is made of.

        Returns
        -------
        dict of str to object
        """
        names = ("customers", "seed", "accounts", "locale")
        return {name: getattr(self, name) for name in names}

    def key(self) -> str:
        """
        Give what a dataset of this recipe is found by.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A recipe and its result."""

    recipe: Recipe
    rows: dict[str, int]
    """How many rows each table has."""
    dataset_hash: str
    """SHA-256 of the rows: see `target_app.seeding.digest`."""
    table_hashes: dict[str, str]
    """The same for each table."""
    defects: dict[str, dict[str, float]]
    """Faults of the data that are there on purpose: the rate that was asked for, and how many."""
    truths: dict[str, Any]
    """What an analysis of the rows has to find, within sampling error."""

    def to_json(self) -> dict[str, Any]:
        """
        Give it as one flat object.

        Returns
        -------
        dict of str to object
        """
        data = asdict(self)
        recipe: dict[str, Any] = data.pop("recipe")
        return recipe | data

    @classmethod
    def from_json(cls, data: object) -> Manifest:
        """
        Read what `to_json` gave.

        Parameters
        ----------
        data : object
            As JSON gave it; keys that we do not know are passed over.

        Returns
        -------
        Manifest

        Raises
        ------
        ValueError
            When it is no manifest that we know.
        """
        try:
            whole = dict(cast(dict[str, Any], data))
            recipe = Recipe(**{part.name: whole[part.name] for part in fields(Recipe)})
            rest = {part.name: whole[part.name] for part in fields(cls) if part.name != "recipe"}
            return cls(recipe=recipe, **rest)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"no manifest of a dataset: {error!r}") from None

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        """
        Read the same as text.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        Manifest
        """
        return cls.from_json(json.loads(text))  # its error is a ValueError, too
