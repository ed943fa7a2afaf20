"""Packed bodies."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from loadtests.generator.client import coding
from tests.support.scripted_server import answers
from tests.support.talk import talk, with_body

# encodings


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("gzip, deflate", lambda body: zlib.compress(gzip.compress(body))),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_unpacked(name: str, pack: Callable[[bytes], bytes]) -> None:
    body = bytes(range(200))
    with talk(answers(with_body(pack(body), f"Content-Encoding: {name}".encode()))) as t:
        assert t.get().content == body
        assert t.last.bytes_in == 200


def test_a_small_body_does_not_unpack_to_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "MAX_UNPACKED", 2**20)
    bomb = gzip.compress(b"\0" * 3_000_000)
    with talk(answers(with_body(bomb, b"Content-Encoding: gzip"))) as t:
        assert t.get().error == "protocol: a body that unpacks to more than 1 MiB"
