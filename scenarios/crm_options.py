"""The switches of the reference CRM that a scenario may set: names and values.

What each of them does is said where it is done, in the CRM; a test holds this
table against it. It is a table of its own because mistakes of a scenario are
told all together, before anything is started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scenarios.fields import Fields
from scenarios.model import Option

CHOICES: Mapping[str, tuple[str, ...]] = {
    "cache": ("off", "naive", "ttl"),
    "list_mode": ("paged", "unbounded"),
    "paging": ("keyset", "offset"),
    "sqlite_tx": ("legacy", "deferred", "immediate"),
}
SWITCHES = ("n_plus_one", "synthetic")
RANGES: Mapping[str, tuple[int, int]] = {
    "pool_size": (1, 128),
    "password_cost": (7, 20),
    "synthetic_seed": (0, 2**32 - 1),
}
NUMBERS: Mapping[str, tuple[float, float]] = {"synthetic_mean_ms": (0.1, 500.0)}
DROP_INDEX = "drop_index"
INDEXES = (
    "activities_customer",
    "activities_request",
    "changes_record",
    "changes_request",
    "customers_company",
    "customers_created",
    "customers_name",
    "customers_owner",
    "customers_owner_company",
    "customers_owner_name",
    "customers_portfolio",
    "customers_request",
    "customers_status",
    "feedback_created",
    "feedback_customer",
    "feedback_owner",
    "feedback_request",
    "feedback_status",
    "idempotency_keys_created",
    "order_items_order",
    "order_items_product",
    "orders_customer",
    "orders_owner",
    "orders_placed",
    "orders_request",
    "orders_status",
    "products_category",
    "responses_feedback",
    "responses_request",
    "users_customer",
)
"""Indexes that speed up: a defect is to do without. Those that keep a rule stay."""

NAMES = (*CHOICES, *SWITCHES, *RANGES, *NUMBERS, DROP_INDEX)

EXTENSIONS = ("loyalty",)
"""Modules of the CRM that are switched on by name alone."""


def read_options(fields: Fields) -> dict[str, Option]:
    """Read and check the table ``[target.options]``.

    Parameters
    ----------
    fields : Fields
        The table; mistakes are noted there.

    Returns
    -------
    dict of str to Option
        Those that are written; the CRM's defaults stand for the others.
    """
    readers: dict[str, Callable[[Fields, str], Option]] = {
        **dict.fromkeys(CHOICES, _choice),
        **dict.fromkeys(SWITCHES, Fields.switch),
        **dict.fromkeys(RANGES, _whole),
        **dict.fromkeys(NUMBERS, _number),
        DROP_INDEX: lambda table, key: read_words(table, key, INDEXES),
    }
    return {
        name: readers[name](fields, name)
        for name in fields.keys()  # noqa: SIM118 - Fields is no mapping
        if name in readers or fields.unknown(name, readers)
    }


def _choice(fields: Fields, key: str) -> str:
    words = CHOICES[key]
    return fields.choice(key, words, default=words[0])


def _whole(fields: Fields, key: str) -> int:
    low, high = RANGES[key]
    return fields.whole(key, default=None, low=low, high=high)


def _number(fields: Fields, key: str) -> float:
    low, high = NUMBERS[key]
    return fields.number(key, default=low, low=low, high=high)


def read_words(fields: Fields, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of words, each once, each of a table.

    Parameters
    ----------
    fields : Fields
        The table that holds the list.
    key : str
        Where.
    known : tuple of str
        The words there are.

    Returns
    -------
    tuple of str
        Those that are written.
    """
    words = fields.texts(key)
    for word in dict.fromkeys(words):
        if word not in known:
            fields.mistake(key, repr(word), f"some of {', '.join(known)}")
        elif words.count(word) > 1:
            fields.mistake(key, f"{word!r} {words.count(word)} times", "each once")
    return tuple(words)


def as_settings(options: Mapping[str, Option]) -> list[str]:
    """Write options as the CRM's command line takes them.

    Parameters
    ----------
    options : mapping of str to Option
        As :func:`read_options` gives them.

    Returns
    -------
    list of str
        Each ``name=value``.
    """
    return [f"{name}={_text(value)}" for name, value in options.items()]


def _text(value: Option) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
