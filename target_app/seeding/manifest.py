"""What a dataset is: its parameters, what made it, what came out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any

from target_app.seeding.shapes import EPOCH

FORMAT = 2
"""Of the rows and of this file. Raise it when the same seed gives other rows.

History: 1, customers, products, orders with items, feedback; 2, users with tokens,
activities, search keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that the rows depend on. Equal recipes give equal rows."""

    format: int
    seed: int
    customers: int
    accounts: int
    epoch: str
    faker: str
    numpy: str

    @classmethod
    def of(cls, customers: int, seed: int, accounts: int) -> Recipe:
        """
        Write down what would make a dataset here and now.

        Parameters
        ----------
        customers : int
            How many customers.
        seed : int
            The seed.
        accounts : int
            How many accounts each role has.

        Returns
        -------
        Recipe
        """
        return cls(
            format=FORMAT,
            seed=seed,
            customers=customers,
            accounts=accounts,
            epoch=f"{EPOCH}Z",
            faker=version("faker"),
            numpy=version("numpy"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A recipe and its result."""

    recipe: Recipe
    rows: dict[str, int]
    """How many rows each table has."""
    dataset_hash: str
    """SHA-256 over a canonical dump of the rows."""
    file_sha256: str | None = None
    """SHA-256 of the file as it was written: tells whether anybody has changed it since."""

    def to_json(self) -> dict[str, Any]:
        """
        Give it as one flat object.

        Returns
        -------
        dict of str to object
        """
        result = {"rows": self.rows, "dataset_hash": self.dataset_hash}
        if self.file_sha256 is not None:
            result["file_sha256"] = self.file_sha256
        return asdict(self.recipe) | result

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        """
        Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        Manifest

        Raises
        ------
        ValueError
            When it is no manifest of a format that we know.
        """
        try:
            data = json.loads(text)
            recipe = Recipe(**{field.name: data[field.name] for field in fields(Recipe)})
            return cls(
                recipe=recipe,
                rows=dict(data["rows"]),
                dataset_hash=data["dataset_hash"],
                file_sha256=data.get("file_sha256"),
            )
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"no manifest of a dataset: {error!r}") from None
