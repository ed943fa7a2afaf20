"""Texts of any length, cut out of one long text; a few in other scripts, on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from target_app.seeding.columns import Ints
from target_app.seeding.pools import Pools

MEDIAN, SIGMA, SHORTEST, LONGEST = 120, 0.7, 5, 500
"""Lengths of what people write are lognormal, and cut where the form cuts them."""

NOTE_MEDIAN = 60
"""Notes on activities are half as long."""

FOREIGN = {
    "cjk": (
        0.004,
        (
            "服务很好,送货很快,下次还会再来。包装也很结实。",
            "サポートの対応がとても丁寧でした。ありがとうございます。",
            "배송이 빨라서 좋았어요. 다음에도 주문하겠습니다.",
        ),
    ),
    "rtl": (
        0.003,
        (
            "الخدمة ممتازة والتوصيل سريع جدا، شكرا لكم على كل شيء.",
            "השירות היה מצוין והמשלוח הגיע בזמן. תודה רבה.",
        ),
    ),
    "emoji": (
        0.003,
        ("👍🏽 Great service, will order again 🎉🚀 — the whole family 👨‍👩‍👧‍👦 is happy 😀",),
    ),
}
"""By kind, which share of all texts, and what they are made of."""


@dataclass(frozen=True, slots=True)
class Texts:
    """One long text, and where to cut it."""

    text: str
    starts: npt.NDArray[np.int64]
    """Where sentences begin."""
    cuts: npt.NDArray[np.int64]
    """By place, the end of a word next to it."""

    @classmethod
    def of(cls, pools: Pools) -> Texts:
        """
        Put the sentences of a pool on end.

        Parameters
        ----------
        pools : Pools
            Of a locale.

        Returns
        -------
        Texts
        """
        gap = " " if pools.places.spaced else ""
        sentences = [sentence + gap for sentence in pools.sentences]
        starts = np.cumsum([0, *map(len, sentences)])[:-1]
        text = "".join(sentences)
        text += text[: 2 * LONGEST]
        cuts = np.arange(len(text))
        if pools.places.spaced:
            spaces = np.flatnonzero(np.frombuffer(text.encode("ascii", "replace"), "S1") == b" ")
            middles = (spaces[1:] + spaces[:-1]) / 2
            cuts = spaces[np.searchsorted(middles, cuts)]
        return cls(text, starts, cuts)

    def draw(self, random: np.random.Generator, size: int, median: int = MEDIAN) -> list[str]:
        """
        Draw texts.

        Parameters
        ----------
        random : Generator
            The table's stream.
        size : int
            How many.
        median : int
            Of their lengths in characters.

        Returns
        -------
        list of str
            Each of at most `LONGEST` characters.
        """
        wanted = lengths(random, size, median)
        starts = self.starts[random.integers(0, self.starts.size, size)]
        ends = self.cuts[starts + wanted]
        ends = np.where((ends - starts > LONGEST) | (ends <= starts), starts + wanted, ends)
        text = self.text
        ways = random.random(size)
        drawn = [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        before = 0.0
        for share, samples in FOREIGN.values():
            for place in np.flatnonzero((ways >= before) & (ways < before + share)).tolist():
                sample = samples[place % len(samples)]
                drawn[place] = (sample * LONGEST)[: wanted[place]].strip()
            before += share
        return drawn


def lengths(random: np.random.Generator, size: int, median: int = MEDIAN) -> Ints:
    """
    Draw lengths of texts, in characters.

    Parameters
    ----------
    random : Generator
        The table's stream.
    size : int
        How many.
    median : int
        Of them.

    Returns
    -------
    ndarray of int64, shape (size,)
        From `SHORTEST` to `LONGEST`.
    """
    drawn = random.lognormal(np.log(median), SIGMA, size)
    return np.clip(drawn, SHORTEST, LONGEST).astype(np.int64)
