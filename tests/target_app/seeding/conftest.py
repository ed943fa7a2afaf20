from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from target_app import seeding
from target_app.seeding.compose import Composition, compose
from target_app.seeding.manifest import Manifest, Recipe


@dataclass(frozen=True)
class Composed:
    """All rows of a dataset, as they are inserted."""

    tables: dict[str, dict[str, Sequence[Any]]]
    manifest: Manifest

    def column(self, table: str, name: str) -> Sequence[Any]:
        return self.tables[table][name]

    def numbers(self, table: str, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array(self.column(table, name), dtype=np.int64)

    def moments(self, table: str, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Microseconds since 1970."""
        texts = [text.removesuffix("Z") for text in self.column(table, name)]
        return np.array(texts, "datetime64[us]").astype(np.int64)


def composed(**parameters: Any) -> Composed:
    composition = Composition.of(compose(Recipe(**parameters)))
    tables: dict[str, dict[str, Sequence[Any]]] = {}
    for piece in composition.pieces():
        table = tables.setdefault(piece.table, {})
        for name, column in piece.columns.items():
            table[name] = [*table.get(name, ()), *column.values()]
    return Composed(tables, composition.manifest)


@pytest.fixture(scope="session")
def rows() -> Composed:
    """Enough rows to see shapes in, without a database around them."""
    return composed(customers=10_000, seed=1, accounts=50)


@pytest.fixture(scope="session")
def chinese() -> Composed:
    return composed(customers=300, seed=1, accounts=5, locale="zh_CN")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> seeding.Found:
    """One with as many accounts as a dataset usually has; the other tests need fewer."""
    return seeding.seed(tmp_path_factory.mktemp("usual"), customers=300, seed=1)
