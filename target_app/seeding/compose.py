"""Rows out of pools and shapes, column by column."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from target_app.folding import fold
from target_app.models import (
    ACTIVITY_KINDS,
    CURRENCIES,
    CUSTOMER_STATUSES,
    ORDER_STATUSES,
    SEGMENTS,
)
from target_app.passwords import hash_password
from target_app.seeding import accounts as signing
from target_app.seeding import shapes
from target_app.seeding.pools import FOREIGN, GOODS, Pools, fill
from target_app.seeding.shapes import Numbers

Column = npt.NDArray[Any]
Columns = Mapping[str, Column]

_DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Streams:
    """One random stream per table: a new column in one leaves the others as they were."""

    pools: np.random.SeedSequence
    customers: np.random.Generator
    products: np.random.Generator
    orders: np.random.Generator
    order_items: np.random.Generator
    activities: np.random.Generator
    users: np.random.Generator
    feedback: np.random.Generator


def compose(
    customers: int, seed: int, accounts: int = 500
) -> tuple[dict[str, Columns], list[signing.Account]]:
    """
    Compose a whole dataset.

    Parameters
    ----------
    customers : int
        How many customers; everything else follows from it.
    seed : int
        Decides everything.
    accounts : int
        How many accounts each role has.

    Returns
    -------
    dict of str to Columns
        Per table, in the order in which they can be inserted, its columns by name.
    list of Account
        Who may sign in, with what the tables keep hashes of.
    """
    pools_seed, *seeds = np.random.SeedSequence(seed).spawn(8)
    names = (
        "customers", "products", "orders", "order_items", "feedback", "activities", "users",
    )  # fmt: skip
    generators = {n: np.random.default_rng(s) for n, s in zip(names, seeds, strict=True)}
    streams = _Streams(pools=pools_seed, **generators)
    pools = fill(streams.pools)
    signers = _signers(streams.users, pools, customers, seed, accounts)
    people = _customers(streams.customers, pools, customers, accounts)
    products = _products(streams.products, pools, customers)
    orders, of_order = _orders(streams.orders, people)
    items = _order_items(streams.order_items, of_order, products)
    orders["total_cents"] = _totals(items, len(of_order))
    return {
        "users": _users(signers, seed),
        "api_tokens": _tokens(signers),
        "customers": _as_text(people),
        "activities": _as_text(_activities(streams.activities, pools, people, accounts)),
        "products": products,
        "orders": _as_text(orders),
        "order_items": items,
        "feedback": _as_text(_feedback(streams.feedback, pools, people, accounts)),
    }, signers


def _signers(
    random: np.random.Generator, pools: Pools, customers: int, seed: int, accounts: int
) -> list[signing.Account]:
    """Draw the people who sign in, and whose the portal accounts are."""
    size = signing.total(accounts)
    names = random.choice(pools.first_names, size) + " " + random.choice(pools.last_names, size)
    patrons = np.resize(random.permutation(customers)[:accounts] + 1, accounts)
    return signing.accounts(seed, accounts, names.tolist(), patrons.tolist())


def _users(signers: list[signing.Account], seed: int) -> Columns:
    """Compose the rows of the people who sign in."""
    password = signing.password_of(seed)
    hashed = hash_password(password, signing.salt_of(seed))
    began = f"{shapes.EPOCH - np.timedelta64(shapes.HISTORY_DAYS + 1, 'D')}Z"
    return {
        "id": np.array([one.id for one in signers]),
        "email": np.array([one.email for one in signers], object),
        "name": np.array([one.name for one in signers], object),
        "role": np.array([one.role for one in signers], object),
        "password_hash": np.array([hashed] * len(signers), object),
        "is_active": np.array([one.note != signing.DEACTIVATED for one in signers]),
        "customer_id": np.array([one.customer_id for one in signers], object),
        "created_at": np.array([began] * len(signers), object),
    }


def _tokens(signers: list[signing.Account]) -> Columns:
    """Compose the rows of their tokens."""
    later = f"{shapes.EPOCH + np.timedelta64(20 * 365, 'D')}Z"
    sooner = f"{shapes.EPOCH - np.timedelta64(1, 'D')}Z"
    hashes = [hashlib.sha256(one.token.encode()).hexdigest() for one in signers]
    ends = [sooner if one.note == signing.EXPIRED else later for one in signers]
    return {
        "id": np.array([one.id for one in signers]),
        "user_id": np.array([one.id for one in signers]),
        "token_sha256": np.array(hashes, object),
        "scopes": np.array([one.scopes for one in signers], object),
        "expires_at": np.array(ends, object),
    }


def _activities(
    random: np.random.Generator, pools: Pools, people: Columns, accounts: int
) -> dict[str, Column]:
    """Compose activities, the oldest first."""
    counts = random.negative_binomial(0.8, 0.8 / 8.8, people["id"].size)
    customer = np.repeat(people["id"], counts)
    at = shapes.moments(random, _days_known(np.repeat(people["created_at"], counts)))
    at = np.maximum(at, np.repeat(people["created_at"], counts))
    order = np.argsort(at, kind="stable")
    size = order.size
    subjects = [text[:60] for text in _texts(random, pools, 500)]
    return {
        "id": np.arange(1, size + 1),
        "customer_id": customer[order],
        "user_id": random.integers(1, 2 * accounts + 1, size),
        "kind": random.choice(
            np.array(ACTIVITY_KINDS, object), size, p=(0.3, 0.35, 0.1, 0.15, 0.1)
        ),
        "subject": random.choice(np.array(subjects, object), size),
        "body": _some(random, _texts(random, pools, size), 0.6),
        "occurred_at": at[order],
    }


def _customers(
    random: np.random.Generator, pools: Pools, count: int, accounts: int
) -> dict[str, Column]:
    """Compose customers, the oldest first."""
    keys = np.arange(1, count + 1)
    first = random.choice(pools.first_names, count)
    last = random.choice(pools.last_names, count)
    created = np.sort(shapes.moments(random, np.full(count, shapes.HISTORY_DAYS)))
    # The number makes the address unique; real lists look like that, too.
    local = [
        f"{f}.{n}{k}".lower().replace(" ", "") for f, n, k in zip(first, last, keys, strict=True)
    ]
    domains = random.choice(pools.domains, count)
    digits = random.integers(2_000_000_000, 9_999_999_999, count)
    phones = np.array(
        [f"+1 {n // 10**7}-{n // 10**4 % 1000:03}-{n % 10**4:04}" for n in digits], object
    )
    updated = created + (random.random(count) * (shapes.EPOCH.astype(np.int64) - created)).astype(
        int
    )
    names = first + " " + last
    companies = _some(random, random.choice(pools.companies, count), 0.6)
    return {
        "id": keys,
        "name": names,
        "name_key": np.array([fold(name) for name in names], object),
        "email": np.array(local, dtype=object) + "@" + domains,
        "phone": _some(random, phones, 0.97),
        "company": companies,
        "company_key": np.array([name and fold(name) for name in companies], object),
        "city": random.choice(pools.cities, count),
        "country": random.choice(
            np.array(["US", "CA", "GB", "AU"], object), count, p=(0.8, 0.1, 0.06, 0.04)
        ),
        "status": random.choice(
            np.array(CUSTOMER_STATUSES, object), count, p=(0.2, 0.55, 0.15, 0.1)
        ),
        "segment": random.choice(np.array(SEGMENTS, object), count, p=(0.6, 0.3, 0.1)),
        "owner_id": random.integers(1, accounts + 1, count),
        "version": np.ones(count, dtype=np.int64),
        "created_at": created,
        "updated_at": updated,
    }


def _products(random: np.random.Generator, pools: Pools, customers: int) -> dict[str, Column]:
    """Compose products; an assortment grows with the root of its customers."""
    count = max(20, round(500 * (customers / 10_000) ** 0.5))
    goods = [(category, noun) for category, nouns in GOODS.items() for noun in nouns]
    kinds = random.integers(0, len(goods), count)
    nouns = np.array([goods[kind][1] for kind in kinds], dtype=object)
    return {
        "id": np.arange(1, count + 1),
        "sku": np.array([f"{kind + 10}-{n:06}" for n, kind in enumerate(kinds, 1)], dtype=object),
        "name": random.choice(pools.colours, count) + " " + nouns,
        "category": np.array([goods[kind][0] for kind in kinds], dtype=object),
        "price_cents": np.round(random.lognormal(np.log(3500), 1.0, count)).astype(np.int64) + 99,
    }


def _orders(random: np.random.Generator, people: Columns) -> tuple[dict[str, Column], Numbers]:
    """Compose orders, the oldest first, and how many items each has."""
    counts = shapes.orders_per_customer(random, people["id"].size)
    customer = np.repeat(people["id"], counts)
    placed = shapes.moments(random, _days_known(np.repeat(people["created_at"], counts)))
    placed = np.maximum(placed, np.repeat(people["created_at"], counts))
    order = np.argsort(placed, kind="stable")
    keys = np.arange(1, customer.size + 1)
    size = keys.size
    return {
        "id": keys,
        "number": np.array([f"S-{key:010}" for key in keys], dtype=object),
        "customer_id": customer[order],
        "status": random.choice(np.array(ORDER_STATUSES, object), size, p=(0.05, 0.15, 0.74, 0.06)),
        "currency": random.choice(np.array(CURRENCIES, object), size, p=(0.85, 0.1, 0.05)),
        "placed_at": placed[order],
        "version": np.ones(size, dtype=np.int64),
    }, shapes.items_per_order(random, size)


def _order_items(
    random: np.random.Generator, counts: Numbers, products: Columns
) -> dict[str, Column]:
    """Compose the items of all orders; some products sell far better than others (Zipf)."""
    size = int(counts.sum())
    weights = 1 / np.arange(1, products["id"].size + 1) ** 0.8
    weights = random.permutation(weights / weights.sum())
    place = random.choice(products["id"].size, size, p=weights)
    return {
        "id": np.arange(1, size + 1),
        "order_id": np.repeat(np.arange(1, counts.size + 1), counts),
        "product_id": products["id"][place],
        "qty": np.minimum(random.geometric(0.6, size), 20),
        "unit_price_cents": products["price_cents"][place],
    }


def _totals(items: Columns, orders: int) -> Numbers:
    """Add the items of each order up, in integers."""
    totals = np.zeros(orders, dtype=np.int64)
    np.add.at(totals, items["order_id"] - 1, items["qty"] * items["unit_price_cents"])
    return totals


def _feedback(
    random: np.random.Generator, pools: Pools, people: Columns, accounts: int
) -> dict[str, Column]:
    """Compose feedback, the oldest first, four fifths of it from known customers."""
    count = round(shapes.FEEDBACK_PER_CUSTOMER * people["id"].size)
    place = random.integers(0, people["id"].size, count)
    created = shapes.moments(random, _days_known(people["created_at"][place]))
    created = np.maximum(created, people["created_at"][place])
    order = np.argsort(created, kind="stable")
    place, created = place[order], created[order]
    scores = shapes.scores(random, count)
    answered = random.random(count) < 0.7  # noqa: PLR2004 - the share, named by the variable
    replies = created + (random.lognormal(np.log(5), 1.0, count) * 3.6e9).astype(np.int64)
    resolved = answered & (random.random(count) < 0.8)  # noqa: PLR2004 - the same
    return {
        "id": np.arange(1, count + 1),
        "customer_id": _some(random, people["id"][place].astype(object), 0.8),
        "name": people["name"][place],
        "email": people["email"][place],
        "content": _texts(random, pools, count),
        "score": scores.astype(object),
        "nps": _some(random, np.clip(scores * 2 + random.integers(-1, 2, count), 0, 10), 0.6),
        "status": np.select([resolved, answered], ["resolved", "answered"], "new").astype(object),
        "created_at": created,
        "first_response_at": _where(answered, _iso(replies)),
        "resolved_at": _where(resolved, _iso(replies + _DAY_US // 3)),
        "assigned_to": _where(answered, random.integers(accounts + 1, 2 * accounts + 1, count)),
        "version": np.ones(count, dtype=np.int64),
    }


def _texts(random: np.random.Generator, pools: Pools, count: int) -> Column:
    """Cut texts out of the pool, each from the start of a sentence; one in a hundred is foreign."""
    lengths = shapes.text_lengths(random, count)
    starts = random.choice(pools.sentence_starts, count)
    foreign = random.random(count) < 0.01  # noqa: PLR2004 - the share, named by the variable
    which = random.integers(0, len(FOREIGN), count)
    text = pools.text + pools.text[: shapes.TEXT_LONGEST]
    cut = [
        (FOREIGN[w] * 40)[:n] if f else _whole_words(text, s, n)
        for s, n, f, w in zip(starts, lengths, foreign, which, strict=True)
    ]
    return np.array([piece.strip() for piece in cut], dtype=object)


def _whole_words(text: str, start: int, length: int) -> str:
    """Cut a piece out of a text, and leave out the word at its end that was cut through."""
    piece = text[start : start + length]
    words, _, _ = piece.rpartition(" ")
    return words or piece


def _days_known(created: Numbers) -> Numbers:
    """Count the whole days between each customer's first day and the epoch, at least one."""
    days: Numbers = np.maximum((shapes.EPOCH.astype(np.int64) - created) // _DAY_US, 1)
    return days


def _some(random: np.random.Generator, values: Column, share: float) -> Column:
    """Keep a share of the values, and put None where the others were."""
    return _where(random.random(values.size) < share, values)


def _where(there: npt.NDArray[np.bool], values: Column) -> Column:
    """Keep the values that are there, and put None where the others were."""
    kept = values.astype(object)
    kept[~there] = None
    return kept


def _as_text(columns: dict[str, Column]) -> Columns:
    """Turn the columns that are moments into text, as the tables keep them."""
    moments = ("created_at", "updated_at", "placed_at", "occurred_at")
    return {name: _iso(c) if name in moments else c for name, c in columns.items()}


def _iso(moments: Numbers) -> Column:
    """Write microseconds since 1970 as text in UTC."""
    return np.datetime_as_string(moments.astype("datetime64[us]"), unit="us", timezone="UTC")
