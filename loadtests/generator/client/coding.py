"""Unpacks bodies, bounded: a small answer may unpack to more than the memory holds."""

from __future__ import annotations

import zlib

from loadtests.generator.client.failures import ProtocolError

ACCEPTED = "gzip, deflate"
MAX_UNPACKED = 64 * 1024 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_MAX_LAYERS = 2


def unpack(body: bytes, encodings: str) -> bytes:
    """Undo the content encodings of a body.

    Parameters
    ----------
    body : bytes
        As it came.
    encodings : str
        The value of ``Content-Encoding``; those of several such headers with commas between.

    Returns
    -------
    bytes
        What it stands for.

    Raises
    ------
    ProtocolError
        When it is cut off or broken, unpacks to more than 64 MiB (all layers together), or
        uses an encoding that was not asked for.
    """
    layers = [layer for word in encodings.split(",") if (layer := word.strip().lower())]
    if len(layers) > _MAX_LAYERS:
        raise ProtocolError("more than two content encodings")
    room = MAX_UNPACKED
    for layer in reversed(layers):
        if layer in {"gzip", "x-gzip", "deflate"}:
            body = _inflate(body, layer, room)
            room -= len(body)
        elif layer != "identity":
            raise ProtocolError(f"content encoding {layer[:20]} was not asked for")
    return body


def _inflate(body: bytes, layer: str, room: int) -> bytes:
    try:
        return _inflate_as(body, _GZIP_OR_ZLIB, room)
    except zlib.error as error:
        if layer == "deflate":  # without zlib's envelope, as some servers send it
            try:
                return _inflate_as(body, _RAW, room)
            except zlib.error:
                pass
        raise ProtocolError(f"{layer}: the body is broken") from error


def _inflate_as(body: bytes, bits: int, room: int) -> bytes:
    unpacked: list[bytes] = []
    while body:
        inflater = zlib.decompressobj(bits)
        unpacked.append(inflater.decompress(body, room + 1))
        room -= len(unpacked[-1])
        if room < 0:
            raise ProtocolError(f"a body that unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        if not inflater.eof:
            raise ProtocolError("the packed body is cut off")
        body = inflater.unused_data if bits == _GZIP_OR_ZLIB else b""
    return b"".join(unpacked)
