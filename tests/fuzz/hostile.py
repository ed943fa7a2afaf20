"""Requests that no client library sends: each is refused with a 4xx, or its connection is closed.

What is sent stands as bytes, so that nothing between this and the server puts it right.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

_TIMEOUT_S = 5
_MORE_COMES_S = 0.1
_MIB = 1024 * 1024

REFUSED = range(400, 500)
ANSWERED = range(200, 500)
"""For what is odd, and which a server may take or refuse, so long as it does not break."""


@dataclass(frozen=True, slots=True)
class Request:
    """Some bytes, and the statuses with which they may be answered."""

    name: str
    raw: bytes
    allowed: range = REFUSED
    whole: bool = True
    """Whether it is a request at all, so that a server that closes without a word is at fault."""


def requests(token: str) -> Iterator[Request]:
    """
    Give all of them.

    Parameters
    ----------
    token : str
        Of an account that may do everything, so that nothing is refused for want of one.
    """
    yield from _bodies(token)
    yield from _kinds(token)
    yield from _addresses(token)
    yield from _headers(token)
    yield from _lengths(token)


def send(port: int, request: Request) -> int | None:
    """
    Send bytes, and nothing more.

    Parameters
    ----------
    port : int
        Where the server listens.
    request : Request
        The bytes.

    Returns
    -------
    int or None
        The status of the answer; None when the connection was closed without one.

    Raises
    ------
    TimeoutError
        When neither happens.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(
                request.raw
            )  # it may be refused before its end, and answered all the same
        if not request.whole:
            connection.settimeout(_MORE_COMES_S)
        said = _receive(connection)
        if said is None and not request.whole:  # it waits for more: none comes
            connection.settimeout(_TIMEOUT_S)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            said = _receive(connection)
    if said is None:
        raise TimeoutError("neither an answer nor an end")
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.") else None


def _receive(connection: socket.socket) -> bytes | None:
    """Read the first line of an answer; None when none comes in time."""
    said = b""
    while b"\r\n" not in said:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            break
        except TimeoutError:
            return None
        if not more:
            break
        said += more
    return said


def _post(token: str, path: str, body: bytes, *headers: bytes, kind: bytes | None = None) -> bytes:
    """Write a request with a body and its right length."""
    kind = b"application/json" if kind is None else kind
    return b"\r\n".join(
        [
            f"POST {path} HTTP/1.1".encode(),
            b"Host: crm.example",
            f"Authorization: Bearer {token}".encode(),
            b"Content-Type: " + kind,
            f"Content-Length: {len(body)}".encode(),
            b"Connection: close",
            *headers,
            b"",
            body,
        ]
    )


def _get(token: str, target: bytes, *headers: bytes) -> bytes:
    """Write a request without a body."""
    return b"\r\n".join(
        [
            b"GET " + target + b" HTTP/1.1",
            b"Host: crm.example",
            f"Authorization: Bearer {token}".encode(),
            b"Connection: close",
            *headers,
            b"",
            b"",
        ]
    )


def _bodies(token: str) -> Iterator[Request]:
    """Give what claims to be JSON."""
    bodies = {
        "empty": b"",
        "blank": b" \n",
        "half an object": b'{"name": "A"',
        "two values": b"{} {}",
        "a comma too many": b'{"name": "A",}',
        "single quotes": b"{'name': 'A'}",
        "NaN": b'{"score": NaN}',
        "minus infinity": b"[-Infinity]",
        "nested 10,000 deep": b"[" * 10_000,
        "nested and closed": b"[" * 5_000 + b"]" * 5_000,
        "objects 5,000 deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "a number of 60,000 digits": b'{"owner_id": ' + b"9" * 60_000 + b"}",
        "a number of 5,000 digits": b'{"owner_id": ' + b"9" * 5_000 + b"}",
        "a number of 400 digits": b'{"owner_id": ' + b"9" * 400 + b"}",
        "1e999": b'{"owner_id": 1e999}',
        "minus 1e400": b"-1e400",
        "2 to the 63rd": b'{"owner_id": 9223372036854775808, "name": "A", "email": "a@b.example"}',
        "NUL in a text": b'{"name": "a\\u0000b", "email": "a@b.example"}',
        "a NUL byte": b'{"name": "a\x00b", "email": "a@b.example"}',
        "half a pair": b'{"name": "\\ud800", "email": "a@b.example"}',
        "half a pair as a name": b'{"\\udfff": 1, "name": "A", "email": "a@b.example"}',
        "half a pair as UTF-8": b'{"name": "\xed\xa0\x80", "email": "a@b.example"}',
        "bytes that are no UTF-8": b'{"name": "\xff\xfe", "email": "a@b.example"}',
        "overlong UTF-8": b'{"name": "\xc0\x80", "email": "a@b.example"}',
        "UTF-16": '{"name": "A", "email": "a@b.example"}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"name": "A", "email": "a@b.example"}',
        "null": b"null",
        "a text": b'"name"',
        "a list": b'[{"name": "A", "email": "a@b.example"}]',
        "1,000 unknown members": b"{" + b",".join(b'"m%d":1' % i for i in range(1_000)) + b"}",
        "a member's name of 30,000 characters": b'{"' + b"n" * 30_000 + b'": 1}',
        "a body that is too long": b'{"name": "' + b"n" * 70_000 + b'"}',
    }
    for name, body in bodies.items():
        yield Request(f"customer: {name}", _post(token, "/api/v1/customers", body))
    for name in ("empty", "nested 10,000 deep", "half a pair", "bytes that are no UTF-8", "null"):
        for path in ("/api/v1/orders", "/api/v1/feedback"):
            yield Request(f"{path}: {name}", _post(token, path, bodies[name]))
    form = b"application/x-www-form-urlencoded"
    forms = {
        "a form of NUL": b"name=a%00b&email=a%40b.example&content=x",
        "a form of half a pair": b"name=%ED%A0%80&email=a%40b.example&content=%00",
        "a form that is no UTF-8": b"name=%FF&email=a%40b.example&content=\xff",
        "a form of 2,000 fields": b"&".join(b"f%d=1" % i for i in range(2_000)),
        "a form that is too long": b"content=" + b"x" * 70_000,
        "a broken percent": b"name=%&email=%zz",
    }
    for name, body in forms.items():
        yield Request(f"page: {name}", _post(token, "/feedback", body, kind=form))


def _kinds(token: str) -> Iterator[Request]:
    """Give bodies that do not say that they are JSON, or say it oddly."""
    body = b"[]"
    kinds = {
        "none": b"",
        "text": b"text/plain",
        "a form": b"application/x-www-form-urlencoded",
        "parts without a boundary": b"multipart/form-data",
        "parts with an odd boundary": b"multipart/form-data; boundary=\xff",
        "XML": b"application/xml",
        "no type at all": b"///;;;==",
        "bytes": b"\xff\xfe\xfd",
        "very long": b"a/" + b"b" * 5_000,
        "JSON in UTF-7": b"application/json; charset=utf-7",
    }
    for name, kind in kinds.items():
        yield Request(f"content type: {name}", _post(token, "/api/v1/customers", body, kind=kind))
        yield Request(f"form, content type: {name}", _post(token, "/feedback", body, kind=kind))
    yield Request(
        "compressed, it says", _post(token, "/api/v1/customers", body, b"Content-Encoding: gzip")
    )


def _addresses(token: str) -> Iterator[Request]:
    """Give odd paths and queries."""
    targets = {
        "NUL in a path": b"/api/v1/customers/%00",
        "half a pair in a path": b"/api/v1/customers/%ED%A0%80",
        "no UTF-8 in a path": b"/api/v1/customers/%FF%FE",
        "bytes in a path": b"/api/v1/customers/\xff\xfe",
        "a broken percent in a path": b"/api/v1/customers/%zz",
        "an id of 10,000 digits": b"/api/v1/customers/" + b"9" * 10_000,
        "2 to the 63rd": b"/api/v1/customers/9223372036854775808",
        "minus 1": b"/api/v1/customers/-1",
        "zero": b"/api/v1/customers/0",
        "digits that are not ASCII": b"/api/v1/customers/%D9%A1",
        "a superscript": b"/api/v1/customers/%C2%B2",
        "dots": b"/api/v1/../../../../etc/passwd",
        "encoded dots": b"/static/..%2f..%2f..%2fetc%2fpasswd",
        "a static file that is a folder": b"/static/",
        "NUL in the name of a file": b"/static/%00",
        "a path of 60,000 characters": b"/" + b"a" * 60_000,
        "a path of a million characters": b"/" + b"a" * _MIB,
        "NUL in a query": b"/api/v1/customers?after=%00",
        "half a pair in a query": b"/api/v1/customers?after=%ED%A0%80",
        "no UTF-8 in a query": b"/api/v1/customers?after=%FF",
        "bytes in a query": b"/api/v1/customers?after=\xff",
        "bytes as a name": b"/api/v1/customers?%FF=1",
        "a query of 50,000 characters": b"/api/v1/customers?after=" + b"a" * 50_000,
        "5,000 parameters": b"/api/v1/customers?" + b"&".join(b"p%d=1" % i for i in range(5_000)),
        "a parameter twice": b"/api/v1/customers?limit=1&limit=2",
        "a limit of 10,000 digits": b"/api/v1/customers?limit=" + b"9" * 10_000,
        "a limit in other digits": b"/api/v1/customers?limit=%D9%A1",
        "a cursor that is a list": b"/api/v1/customers?after=W10",
        "a cursor of a deep list": b"/api/v1/customers?after=" + b"W1tb" * 50,
        "a cursor with a huge number": b"/api/v1/orders?after="
        b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwLjAwMDAwMFoiLDk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
        "an absolute address": b"http://other.example:99999/api/v1/customers/0",
        "no path": b"*",
        "a space in the path": b"/api/v1/ customers",
    }
    for name, target in targets.items():
        yield Request(f"address: {name}", _get(token, target))
    yield Request("address: slashes", _get(token, b"/" * 5_000), ANSWERED)  # led to the one page
    pages = (b"/feedback?after=%00", b"/feedback?sent=%FF&after=%ED%A0%80", b"/feedback?sent=1e9")
    for target in pages:
        yield Request(f"page: {target.decode()}", _get(token, target), ANSWERED)


def _headers(token: str) -> Iterator[Request]:
    """Give odd headers."""
    path = b"/api/v1/customers?limit=1"
    odd = {
        "a second token": b"Authorization: Bearer other",
        "a token of bytes": b"X-Any: \xff\xfe",
        "a request id of bytes": b"X-Request-Id: \xff\xfe",
        "a request id of 10,000 characters": b"X-Request-Id: " + b"a" * 10_000,
        "two request ids": b"X-Request-Id: a\r\nX-Request-Id: b",
        "a host of nonsense": b"Host: \xff:/?#",
        "an odd Accept": b"Accept: ;;;q=x,,,/",
        "an odd range": b"Range: bytes=999999999999999999999-",
        "an odd If-None-Match": b'If-None-Match: W/"", "\xff", *',
        "an odd date": b"If-Modified-Since: yesterday",
        "an odd cookie": b"Cookie: session=\xff\xfe; =; ;;; session=.eJ",
        "forwarded": b"X-Forwarded-For: \xff\r\nX-Forwarded-Host: \xff",
        "1,000 headers": b"\r\n".join(b"X-H%d: 1" % i for i in range(1_000)),
        "a header of 100,000 characters": b"X-Long: " + b"a" * 100_000,
        "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket",
        "a method in a header": b"X-HTTP-Method-Override: DELETE",
    }
    for name, header in odd.items():
        yield Request(f"header: {name}", _get(token, path, header), ANSWERED)
    refused = {
        "a header without a colon": b"Nonsense",
        "a space in a name": b"X Any: 1",
        "a NUL": b"X-Any: a\x00b",
        "a folded line": b"X-Any: a\r\n b",
    }
    for name, header in refused.items():
        yield Request(f"header: {name}", _get(token, path, header))
    for kind, value in (("unknown", b"Bearer \xff"), ("other", b"Basic !!!"), ("none", b"Bearer ")):
        raw = b"GET /api/v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: " + value
        yield Request(f"token: {kind}", raw + b"\r\nConnection: close\r\n\r\n")
    for header in (b"Idempotency-Key: \xff", b"Idempotency-Key: ", b"Idempotency-Key: a b"):
        body = b'{"name": "A", "email": "key@b.example"}'
        raw = _post(token, "/api/v1/customers", body, header)
        yield Request(f"header: {header!r}", raw)
    raw = _post(token, "/api/v1/customers/1", b"{}", b'If-Match: W/"\xff", nonsense')
    yield Request("header: an odd If-Match", raw.replace(b"POST", b"PATCH", 1))


def _lengths(token: str) -> Iterator[Request]:
    """Give requests whose length is not what they say, or that have no shape."""
    whole = _post(token, "/api/v1/customers", b'{"name": "A", "email": "length@b.example"}')
    length = b"Content-Length: 42"
    assert length in whole
    mismatches = {
        "longer than what comes": b"Content-Length: 4000",
        "shorter than what comes": b"Content-Length: 10",
        "given twice": b"Content-Length: 42\r\nContent-Length: 41",
        "negative": b"Content-Length: -1",
        "no number": b"Content-Length: many",
        "beyond any number": b"Content-Length: " + b"9" * 30,
        "beyond the limit": b"Content-Length: 999999999",
        "in other digits": b"Content-Length: \xd9\xa1",
        "an unknown coding": b"Transfer-Encoding: rot13",
    }
    for name, header in mismatches.items():
        yield Request(f"length: {name}", whole.replace(length, header), whole=False)
    chunked = whole.partition(b"\r\n\r\n")[0].replace(length, b"Transfer-Encoding: chunked")
    chunks = {
        "too long": (b"ffff\r\n" + b"a" * 65535 + b"\r\n") * 3 + b"0\r\n\r\n",
        "a few MiB": (b"ffff\r\n" + b"a" * 65535 + b"\r\n") * 64 + b"0\r\n\r\n",
        "without an end": b"5\r\nhello\r\n",
        "of no length": b"zz\r\nhello\r\n0\r\n\r\n",
        "of a huge length": b"ffffffffffffffff\r\nhello\r\n",
        "of a negative length": b"-5\r\nhello\r\n0\r\n\r\n",
        "longer than they say": b"2\r\nhello\r\n0\r\n\r\n",
        "empty": b"0\r\n\r\n",
    }
    for name, body in chunks.items():
        yield Request(f"chunks: {name}", chunked + b"\r\n\r\n" + body, whole=False)
    yield Request(
        "chunks: and a length", chunked + b"\r\nContent-Length: 5\r\n\r\n5\r\n[1,2]\r\n0\r\n\r\n"
    )
    shapes = {
        "nothing": b"",
        "an empty line": b"\r\n\r\n",
        "bytes": bytes(range(256)) * 4,
        "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(100),
        "half a request line": b"GET /api",
        "no host": b"GET /api/v1/customers HTTP/1.1\r\nConnection: close\r\n\r\n",
        "HTTP/0.9": b"GET /\r\n",
        "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "an unknown method": b"BREW /feedback HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "a method of bytes": b"\xff\xfe / HTTP/1.1\r\nHost: x\r\n\r\n",
        "a method of 10,000 characters": b"A" * 10_000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT": b"CONNECT crm.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "TRACE": b"TRACE /api/v1/customers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "line feeds alone": b"GET /api/v1/customers HTTP/1.1\nHost: x\nConnection: close\n\n",
    }
    for name, raw in shapes.items():
        yield Request(f"shape: {name}", raw, whole=False)
