"""What Faker is asked for: some thousands of real-looking words, from which rows are composed.

Faker makes about a thousand whole rows a second; a million would take a quarter of an hour. Pools
of its output, combined by numpy, take seconds and look the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from faker import Faker

Words = npt.NDArray[np.object_]

_SENTENCES = 3000
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

GOODS = {
    "Furniture": ("Desk", "Chair", "Bookshelf", "Filing Cabinet", "Standing Desk", "Stool"),
    "Lighting": ("Desk Lamp", "Floor Lamp", "Light Strip", "Reading Light"),
    "Paper": ("Notebook", "Envelope Set", "Sketch Pad", "Label Roll", "Calendar"),
    "Writing": ("Fountain Pen", "Marker Set", "Pencil Case", "Whiteboard"),
    "Storage": ("Storage Box", "Drawer Unit", "Document Tray", "Key Safe"),
    "Kitchen": ("Mug", "Kettle", "Water Bottle", "Lunch Box", "Tea Set"),
    "Bags": ("Backpack", "Laptop Sleeve", "Messenger Bag", "Travel Case"),
    "Devices": ("Headset", "Keyboard", "Webcam", "Desk Fan", "Power Bank"),
}
"""What is sold, by category; a product is one of these in one of Faker's colours."""

# Texts that are not plain English: CJK, right to left, four-byte characters and joined emoji.
FOREIGN = (
    "服务很好,送货很快,下次还会再来。包装也很结实。",
    "サポートの対応がとても丁寧でした。ありがとうございます。",
    "배송이 빨라서 좋았어요. 다음에도 주문하겠습니다.",
    "الخدمة ممتازة والتوصيل سريع جدا، شكرا لكم على كل شيء.",
    "השירות היה מצוין והמשלוח הגיע בזמן. תודה רבה.",
    "Great service 👍🏽 will order again 🎉🚀 — the whole family 👨‍👩‍👧‍👦 is happy 😀",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Words to choose from."""

    first_names: Words
    last_names: Words
    companies: Words
    cities: Words
    domains: Words
    colours: Words
    text: str
    """Many English sentences on end."""
    sentence_starts: npt.NDArray[np.int64]
    """Where in `text` a sentence begins."""


def fill(seed: np.random.SeedSequence) -> Pools:
    """
    Ask Faker, once.

    Parameters
    ----------
    seed : SeedSequence
        Decides everything.

    Returns
    -------
    Pools
    """
    fake = Faker("en_US", use_weighting=False)  # weighted names take ten times as long
    fake.seed_instance(int(seed.generate_state(1)[0]))
    sentences = [fake.sentence(nb_words=9) for _ in range(_SENTENCES)]
    lengths = [len(sentence) + 1 for sentence in sentences]
    return Pools(
        first_names=_words(fake.first_name, 1500),
        last_names=_words(fake.last_name, 2000),
        companies=_words(fake.company, 2000),
        cities=_words(fake.city, 1000),
        domains=_words(fake.free_email_domain, 50),
        colours=_words(lambda: _CAMEL.sub(" ", fake.color_name()), 400),
        text=" ".join(sentences),
        sentence_starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
    )


def _words(make: Callable[[], str], count: int) -> Words:
    """Collect `count` words, each once, in the order in which they came."""
    return np.array(list(dict.fromkeys(make() for _ in range(count))), dtype=object)
