"""Packed bodies."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from loadtests.generator.client import coding
from loadtests.generator.client.failures import ProtocolError
from tests.support.scripted_server import answers
from tests.support.talk import talk, with_body

# encodings


def test_encodings_in_several_headers_are_one_list() -> None:
    body = zlib.compress(gzip.compress(b"hello"))
    headers = (b"Content-Encoding: gzip", b"Content-Encoding: deflate")
    with talk(answers(with_body(body, *headers))) as t:
        assert t.get().content == b"hello"


def test_layers_in_several_headers_are_not_too_many_either() -> None:
    body = gzip.compress(gzip.compress(gzip.compress(b"hello")))
    with talk(answers(with_body(body, *[b"Content-Encoding: gzip"] * 3))) as t:
        assert t.get().error == "protocol: more than two content encodings"


def test_what_the_layers_unpack_to_is_bounded_in_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes(range(256)) * 4
    monkeypatch.setattr(coding, "MAX_UNPACKED", 1_500)
    packed = gzip.compress(gzip.compress(body, 0), 0)  # 0: not smaller than before
    assert coding.unpack(gzip.compress(body, 0), "gzip") == body
    with pytest.raises(ProtocolError, match="unpacks to more than"):
        coding.unpack(packed, "gzip, gzip")


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
