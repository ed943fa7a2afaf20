"""What a request came to, as its sender sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

from loadtests.generator.client.message import Request

_NOT_PARSED = object()
_DECODER = json.JSONDecoder()
_scan = _DECODER.scan_once  # type: ignore[attr-defined]


class Headers(Mapping[str, str]):
    """The headers of an answer; names in any case, one that came twice joined by commas.

    Parameters
    ----------
    pairs : list of tuple of (bytes, bytes)
        As they came.
    """

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            before = self._values.get(key)
            self._values[key] = text if before is None else f"{before}, {text}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Response:
    """An answer, or why there is none.

    Attributes
    ----------
    request : Request
        What was asked for.
    status : int
        0 when there is no answer.
    content : bytes
        The body, unpacked.
    error : str or None
        What is wrong with it; None when all is well.
    """

    __slots__ = ("_headers", "_json", "_pairs", "content", "error", "request", "status")

    def __init__(
        self,
        request: Request,
        status: int = 0,
        pairs: list[tuple[bytes, bytes]] | None = None,
        content: bytes = b"",
        error: str | None = None,
    ) -> None:
        self.request = request
        self.status = status
        self.content = content
        self.error = error
        self._pairs = pairs
        self._headers: Headers | None = None
        self._json: Any = _NOT_PARSED

    @property
    def url(self) -> str:
        """That was asked for."""
        return self.request.url

    @property
    def ok(self) -> bool:
        """Whether it is what was expected."""
        return self.error is None

    @property
    def status_code(self) -> int | None:
        """The status under the name that the engine's listeners know; None without an answer."""
        return self.status or None

    @property
    def headers(self) -> Headers:
        """The headers."""
        if self._headers is None:
            self._headers = Headers(self._pairs or [])
        return self._headers

    @property
    def text(self) -> str:
        """The body as text, in the charset that its headers name, else UTF-8."""
        charset = _charset(self.headers.get("content-type", ""))
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Parse the body; once, however often it is asked for.

        Returns
        -------
        object
            What it says; to be read only.

        Raises
        ------
        ValueError
            When it is no JSON.
        """
        if self._json is _NOT_PARSED:
            self._json = _parse(self.content.decode())
        return self._json


def _parse(text: str) -> Any:
    """Parse JSON; without the detours of ``json.loads`` where nothing stands around it."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _DECODER.decode(text)
    return value if end == len(text) else _DECODER.decode(text)


def _charset(content_type: str) -> str:
    if "charset" not in content_type.lower():
        return "utf-8"
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_content_charset("utf-8"))
