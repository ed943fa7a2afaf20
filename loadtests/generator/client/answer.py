"""One answer while it comes, piece by piece, parsed by llhttp and bounded.

What llhttp leaves to its user is done here: the answer to HEAD has no body though its
headers speak of one; an answer without a length ends with the connection; answers below
200 are only announcements; headers have no limit; what follows an answer is an error.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadtests.generator.client.failures import ConnectionLost, ProtocolError

MAX_HEADER_BYTES = 64 * 1024
MAX_HEADERS = 200
MAX_BYTES = 64 * 1024 * 1024
"""Of an answer as it comes, headers, chunks and all."""

COOKIE, TIMING, ENCODING, AGAIN = 1, 2, 3, 4
_SPECIAL = {
    b"set-cookie": COOKIE,
    b"server-timing": TIMING,
    b"content-encoding": ENCODING,
    b"idempotency-replayed": AGAIN,
}
_MAX_SPELLINGS = 1000
_FIRST_STATUS = 100
_SWITCHING = 101
_FIRST_FINAL = 200

_spellings: dict[bytes, int] = {}
"""Names of headers as servers spell them, and which special one each is (0: none)."""


class Answer:
    """The answer to the last request on a connection; told of by the parser.

    Attributes
    ----------
    done : bool
        Whether it is whole.
    status : int
        Of the answer; 0 before it is known.
    headers : list of tuple of (bytes, bytes)
        As they came.
    special : list of tuple of (int, bytes)
        Those that the client itself looks at.
    chunks : list of bytes
        The body.
    keep : bool
        Whether the connection may be used again.
    """

    __slots__ = (
        "_head",
        "_in_headers",
        "_parser",
        "_received",
        "chunks",
        "done",
        "headers",
        "keep",
        "special",
        "status",
    )

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._head = False
        self._in_headers = True
        self._received = 0
        self.done = True
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.special: list[tuple[int, bytes]] = []
        self.chunks: list[bytes] = []
        self.keep = False

    def expect(self, head: bool) -> None:
        """Get ready for the answer to a request that is sent now.

        Parameters
        ----------
        head : bool
            Whether the method is HEAD.
        """
        if self._head:
            self._parser = HttpResponseParser(self)  # it still waits for the body
        self._head = head
        self._in_headers = True
        self._received = 0
        self.done = False

    def feed(self, data: memoryview) -> None:
        """Take the next piece.

        Parameters
        ----------
        data : memoryview
            As it was received; nothing of it is kept.

        Raises
        ------
        ProtocolError
            When it is no HTTP, or larger than allowed.
        """
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as error:
            raise ProtocolError("another protocol was switched to") from error
        except HttpParserError as error:
            if isinstance(error.__context__, ProtocolError):
                raise error.__context__ from None
            raise ProtocolError(str(error)) from error
        if not self.done:
            self._check_size()

    def _check_size(self) -> None:
        if self._in_headers and self._received > MAX_HEADER_BYTES:
            raise ProtocolError(f"headers of more than {MAX_HEADER_BYTES // 2**10} KiB")
        if self._received > MAX_BYTES:
            raise ProtocolError(f"an answer of more than {MAX_BYTES // 2**20} MiB")
        self._check_headers()

    def _check_headers(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            raise ProtocolError(f"more than {MAX_HEADERS} headers")

    def end(self) -> None:
        """Take the end of the connection, which is the end of some answers.

        Raises
        ------
        ConnectionLost
            When more should have come.
        """
        if self._in_headers:
            when = "in the headers" if self._received else "before an answer"
            raise ConnectionLost(when)
        for name, value in self.headers:
            kind = name.lower()
            if kind == b"content-length" or (
                kind == b"transfer-encoding" and b"chunked" in value.lower()
            ):
                raise ConnectionLost("in the body")
        self.keep = False
        self.done = True

    # told by the parser

    def on_message_begin(self) -> None:
        """Forget the answer before.

        Raises
        ------
        ProtocolError
            When it was whole: there are not two to one request.
        """
        if self.done:
            raise ProtocolError("more than one answer")
        self.headers = []
        self.special = []
        self.chunks = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name, value))
        kind = _spellings.get(name)
        if kind is None:
            kind = _learn(name)
        if kind:
            self.special.append((kind, value))

    def on_headers_complete(self) -> None:
        """Take the status; see whether a body will come.

        Raises
        ------
        ProtocolError
            When the status or the headers cannot be.
        """
        parser = self._parser
        self.status = status = parser.get_status_code()
        self.keep = parser.should_keep_alive()
        if status < _FIRST_FINAL:
            if status < _FIRST_STATUS or status == _SWITCHING:
                raise ProtocolError(f"status {status}")
            return
        self._in_headers = False
        self._check_headers()
        if self._received > MAX_HEADER_BYTES:
            size = sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > MAX_HEADER_BYTES:
                raise ProtocolError(f"headers of more than {MAX_HEADER_BYTES // 2**10} KiB")
        if self._head:
            self.done = True

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body.

        Raises
        ------
        ProtocolError
            When there must be none.
        """
        if self._head:
            raise ProtocolError("a body in the answer to HEAD")
        self.chunks.append(data)

    def on_message_complete(self) -> None:
        """Note the end, unless it was an announcement only."""
        if self.status >= _FIRST_FINAL:
            self.done = True


def _learn(name: bytes) -> int:
    if len(_spellings) >= _MAX_SPELLINGS:
        _spellings.clear()  # a server that makes names up must not fill the memory
    kind = _spellings[name] = _SPECIAL.get(name.lower(), 0)
    return kind
