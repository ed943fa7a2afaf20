"""Reads the table ``[target]``: what is loaded, and where load may go."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from scenarios.fields import Fields
from scenarios.model import Secret, Target

_SECRET_HEADER = re.compile(
    r"authorization|cookie|token|secret|password|passwd|api[-_]?key|credential|session", re.I
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BY_NAME = 'in the environment, by name: { env = "NAME" }'


def read_target(fields: Fields) -> Target:
    """Read and check the table ``[target]``.

    Parameters
    ----------
    fields : Fields
        The table; mistakes are noted there.

    Returns
    -------
    Target
        With defaults where a key is absent or wrong.
    """
    url = _url(fields)
    app = fields.choice("app", ("crm",), default="crm") if "app" in fields or not url else None
    if url and app:
        fields.mistake("app", "app beside url", "one of the two")
    target = Target(
        app=app,
        url=url,
        allow=tuple(fields.texts("allow")) if "allow" in fields else (),
        database=_database(fields),
        workers=fields.whole("workers", default=1, low=1, high=64),
        threads=fields.whole("threads", default=4, low=1, high=256),
        customers=fields.whole("customers", default=20_000, low=100, high=10_000_000),
        seed=fields.whole("seed", default=1, low=0, high=2**32 - 1),
        headers=_headers(fields.table("headers")),
    )
    fields.no_more()
    return target


def _url(fields: Fields) -> str | None:
    text = fields.text("url", default="")
    if not text:
        return None
    allowed = "http(s)://host[:port][/path], without credentials, query or fragment"
    try:
        parts = urlsplit(text)
        found = "a port" if parts.port == 0 else ""
    except ValueError as error:
        fields.mistake("url", str(error), allowed)
        return None
    if parts.username or parts.password:
        fields.mistake("url", "a literal credential", f"credentials {_BY_NAME}, as a header")
        return None
    if found or parts.scheme not in {"http", "https"} or not parts.hostname:
        fields.mistake("url", repr(text), allowed)
        return None
    if parts.query or parts.fragment:
        fields.mistake("url", "a query or fragment", allowed)
        return None
    return text.rstrip("/")


def _database(fields: Fields) -> str | Secret:
    value = fields.secret_or_text("database", default="sqlite")
    if isinstance(value, Secret):
        fields.mistake("database", f"env {value.env}", "sqlite (others are not built yet)")
        return "sqlite"
    if "@" in value:
        fields.mistake("database", "a literal credential", f"a URL {_BY_NAME}")
    elif value != "sqlite":
        fields.mistake("database", repr(value), "sqlite (postgres is not built yet)")
    return "sqlite"


def _headers(fields: Fields) -> dict[str, str | Secret]:
    headers = {}
    for name in fields.keys():  # noqa: SIM118 - Fields is no mapping
        value = fields.secret_or_text(name, default="")
        if _HEADER_NAME.fullmatch(name) is None:
            fields.mistake(name, "a header's name with other characters", "a token of RFC 9110")
        elif isinstance(value, str) and _SECRET_HEADER.search(name):
            fields.mistake(name, "a literal credential", f"its value {_BY_NAME}")
        elif isinstance(value, str) and ("\n" in value or "\r" in value):
            fields.mistake(name, "a line break", "one line")
        headers[name] = value
    return headers
