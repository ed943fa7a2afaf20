"""The rows of a dataset, table by table, piece by piece, each piece hashed on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from target_app.models import Base, Dataset, table_of
from target_app.seeding import sales, shapes, truths, users
from target_app.seeding.accounts import Account
from target_app.seeding.columns import Columns
from target_app.seeding.customers import Customers
from target_app.seeding.dealings import Activities, Feedback, Responses
from target_app.seeding.digest import TableDigest, hash_of_tables
from target_app.seeding.happenings import Happenings, repeated
from target_app.seeding.manifest import Manifest, Recipe
from target_app.seeding.pools import Pools, fill
from target_app.seeding.texts import Texts

ROWS_AT_ONCE = 20_000
"""Of a piece. Other pieces would be other draws: raise `FORMAT` with it."""

TABLES = (
    "users", "api_tokens", "customers", "activities", "products", "orders", "order_items",
    "feedback", "responses",
)  # fmt: skip
"""What a dataset fills; the other tables stay empty."""

# One random stream per table: what one draws leaves the others as they were. New ones come last.
_STREAMS = ("pools", *TABLES)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table; all of its pieces come one after the other."""

    table: str
    columns: Columns


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may sign in; comes first."""

    people: list[Account]


@dataclass(frozen=True, slots=True)
class Ending:
    """What it has all been; comes last."""

    manifest: Manifest


Part = Signers | Piece | Ending


class Composition:
    """
    What is composed, as it comes.

    Parameters
    ----------
    people : list of Account
        Who may sign in.
    parts : iterator
        What follows of `compose`.
    """

    def __init__(self, people: list[Account], parts: Iterator[Part]) -> None:
        self.people = people
        self._parts = parts
        self._manifest: Manifest | None = None

    @classmethod
    def of(cls, parts: Iterator[Part]) -> Self:
        """
        Begin.

        Parameters
        ----------
        parts : iterator
            What `compose` gives.

        Returns
        -------
        Composition
        """
        first = next(parts)
        return cls(first.people if isinstance(first, Signers) else [], parts)

    def pieces(self) -> Iterator[Piece]:
        """
        Go through the rows, once.

        Yields
        ------
        Piece
        """
        for part in self._parts:
            if isinstance(part, Piece):
                yield part
            elif isinstance(part, Ending):
                self._manifest = part.manifest

    @property
    def manifest(self) -> Manifest:
        """
        What it has all been; known when all pieces have come.

        Raises
        ------
        RuntimeError
            When they have not.
        """
        if self._manifest is None:
            raise RuntimeError("the rows of the dataset have not all come")
        return self._manifest


class _Source(Protocol):
    """All rows of a table."""

    def __len__(self) -> int: ...

    def columns(self, part: slice) -> Columns: ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """The rows of a small table."""

    all: Columns

    def __len__(self) -> int:
        return len(self.all["id"])

    def columns(self, part: slice) -> Columns:
        """Give some of them."""
        return {name: column.part(part) for name, column in self.all.items()}


def compose(recipe: Recipe) -> Iterator[Part]:
    """
    Compose a dataset.

    Parameters
    ----------
    recipe : Recipe
        Decides everything.

    Yields
    ------
    Signers, Piece or Ending
        One `Signers`, then pieces, then one `Ending`.
    """
    digests = {
        table.name: TableDigest(table)
        for table in Base.metadata.sorted_tables
        if table is not table_of(Dataset)
    }
    seeds = np.random.SeedSequence(recipe.seed).spawn(len(_STREAMS))
    streams = {n: np.random.default_rng(s) for n, s in zip(_STREAMS, seeds, strict=True)}
    hashed = _meanwhile(users.password_hash, recipe.seed)
    pools = fill(seeds[0], recipe.locale)
    people = users.signers(streams["users"], pools, recipe.customers, recipe.seed, recipe.accounts)
    yield Signers(people)
    everybody = Customers.draw(streams["customers"], pools, recipe.customers, recipe.accounts)
    for name, source in _grown(recipe, pools, everybody, streams):
        yield from _hashed(name, source, digests)
    yield from _hashed("api_tokens", _Ready(users.tokens(people)), digests)
    yield from _hashed("users", _Ready(users.users(people, hashed.result())), digests)
    hashes = {name: digest.result() for name, digest in digests.items()}
    manifest = Manifest(
        recipe=recipe,
        rows={name: digests[name].rows for name in TABLES},
        dataset_hash=hash_of_tables(hashes),
        table_hashes={name: hashes[name] for name in TABLES},
        defects=everybody.defects(),
        truths=truths.truths(),
    )
    yield Ending(manifest)


def _grown(
    recipe: Recipe, pools: Pools, everybody: Customers, streams: dict[str, np.random.Generator]
) -> Iterator[tuple[str, _Source]]:
    """Draw what grows with the customers; each table is forgotten before the next is drawn."""
    yield "customers", everybody
    source, created = Texts.of(pools), everybody.created
    random = streams["activities"]
    counts = shapes.counts(
        random, recipe.customers, shapes.ACTIVITIES_MEAN, shapes.ACTIVITIES_DISPERSION
    )
    yield (
        "activities",
        Activities(
            random=random,
            source=source,
            subjects=pools.sentences,
            done=Happenings.draw(random, repeated(counts), created, season=False),
            staff=2 * recipe.accounts,  # sales and support
        ),
    )
    goods, prices = sales.products(streams["products"], pools, recipe.customers)
    yield "products", _Ready(goods)
    random = streams["orders"]
    counts = shapes.counts(random, recipe.customers, shapes.ORDERS_MEAN, shapes.ORDERS_DISPERSION)
    placed = Happenings.draw(random, repeated(counts), created, season=True)
    items = sales.Items.draw(streams["order_items"], len(placed), prices)
    yield "orders", sales.Orders.draw(random, placed, everybody.owner, items.totals)
    yield "order_items", items
    del placed, items
    feedback = Feedback.draw(
        streams["feedback"], source, everybody, (recipe.accounts + 1, 2 * recipe.accounts)
    )
    yield "feedback", feedback
    yield "responses", Responses.to(feedback, streams["responses"])


def _meanwhile(function: Callable[[int], str], seed: int) -> Future[str]:
    """Begin what takes a tenth of a second, and no lock of the interpreter."""
    executor = ThreadPoolExecutor(1)
    future = executor.submit(function, seed)
    executor.shutdown(wait=False)
    return future


def _hashed(name: str, source: _Source, digests: dict[str, TableDigest]) -> Iterator[Piece]:
    """Cut a table into pieces."""
    for start in range(0, len(source), ROWS_AT_ONCE):
        columns = source.columns(slice(start, min(start + ROWS_AT_ONCE, len(source))))
        digests[name].add(columns)
        yield Piece(name, columns)
