"""What Faker is asked for: some thousands of real-looking words, from which rows are composed.

Faker makes about a thousand whole rows a second; a million would take a quarter of an hour. Pools
of its output, combined by numpy, take seconds and look the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from faker import Faker

from target_app.seeding.columns import Words
from target_app.seeding.places import PLACES, Places

_SENTENCES = 1500
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_IN_ADDRESS = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Words to choose from, of one locale."""

    places: Places
    first_names: Words
    first_addresses: Words
    """What of a first name is written in an e-mail address, in the same order."""
    last_names: Words
    last_addresses: Words
    companies: Words
    cities: Words
    domains: Words
    colours: Words
    sentences: list[str]


def fill(seed: np.random.SeedSequence, locale: str) -> Pools:
    """
    Ask Faker, once.

    Parameters
    ----------
    seed : SeedSequence
        Decides everything.
    locale : str
        One of `LOCALES`.

    Returns
    -------
    Pools
    """
    fake = Faker(locale, use_weighting=False)  # weighted names take ten times as long
    fake.seed_instance(int(seed.generate_state(1)[0]))
    first, last = _words(fake.first_name, 1500), _words(fake.last_name, 2000)
    if PLACES[locale].romanized:  # by place, not by sound: nobody reads them
        latin_first = np.resize(_words(fake.first_romanized_name, 1500), first.size)
        latin_last = np.resize(_words(fake.last_romanized_name, 500), last.size)
    else:
        latin_first, latin_last = first, last
    return Pools(
        places=PLACES[locale],
        first_names=first,
        first_addresses=_addresses(latin_first),
        last_names=last,
        last_addresses=_addresses(latin_last),
        companies=_words(fake.company, 1000),
        cities=_words(fake.city, 1000),
        domains=_words(fake.free_email_domain, 50),
        colours=_words(lambda: _CAMEL.sub(" ", fake.color_name()), 400),
        sentences=[fake.sentence(nb_words=9) for _ in range(_SENTENCES)],
    )


def _words(make: Callable[[], str], count: int) -> Words:
    """Collect `count` words, each once, in the order in which they came."""
    return np.array(list(dict.fromkeys(make() for _ in range(count))), dtype=object)


def _addresses(names: Words) -> Words:
    """Write names as they stand in an e-mail address."""
    return np.array([_NOT_IN_ADDRESS.sub("", name.lower()) or "x" for name in names], object)
