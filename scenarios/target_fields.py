"""Reads the table ``[target]``: what is loaded, and where load may go."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from scenarios.crm_options import EXTENSIONS, read_options, read_words
from scenarios.database_url import SHAPE, is_database_url, read_database_url
from scenarios.fields import Fields
from scenarios.model import Secret, Target

_SECRET_HEADER = re.compile(
    r"authorization|cookie|token|secret|password|passwd|api[-_]?key|credential|session", re.I
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BY_NAME = 'in the environment, by name: { env = "NAME" }'


OF_THE_CRM = ("database", "options", "extensions", "workers", "threads", "customers")
"""What sets the CRM up, and so says nothing of a system that runs already. The seed is none of
them: what users do and when arrivals come is drawn from it where load.seed is not set."""

_DATABASES = ("sqlite", "postgres")


def read_target(fields: Fields, folder: Path | None) -> Target:
    """Read and check the table ``[target]``.

    Parameters
    ----------
    fields : Fields
        The table; mistakes are noted there.
    folder : Path or None
        Where a relative file of accounts is looked for. None does not look, and takes what
        sets up the CRM beside a url: runs were recorded so before all of it was refused.

    Returns
    -------
    Target
        With defaults where a key is absent or wrong.
    """
    url = _url(fields)
    app = fields.choice("app", ("crm",), default="crm") if "app" in fields or not url else None
    if url and app:
        fields.mistake("app", "app beside url", "one of the two")
    if url and folder is not None:
        for key in OF_THE_CRM:
            if key in fields:
                fields.mistake(key, f"{key} beside url", "with app alone: it sets up the CRM")
    database = _database(fields)
    options = read_options(fields.table("options"))
    if database != "sqlite" and "sqlite_tx" in options:
        fields.mistake("options.sqlite_tx", "sqlite_tx on another database", "with sqlite alone")
    target = Target(
        app=app,
        url=url,
        allow=tuple(fields.texts("allow")) if "allow" in fields else (),
        database=database,
        options=options,
        extensions=read_words(fields, "extensions", EXTENSIONS) if "extensions" in fields else (),
        accounts=_accounts(fields, folder),
        workers=fields.whole("workers", default=1, low=1, high=64),
        threads=fields.whole("threads", default=4, low=1, high=128),
        customers=fields.whole("customers", default=20_000, low=100, high=10_000_000),
        seed=fields.whole("seed", default=1, low=0, high=2**32 - 1),
        headers=_headers(fields.table("headers")),
        ca=_file(fields, "ca", folder, "a file of certificate authorities (PEM)"),
    )
    fields.no_more()
    return target


def _url(fields: Fields) -> str | None:
    text = fields.text("url", default="")
    if not text and fields.take("url") != "":  # an empty one must not become the CRM
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
    if isinstance(value, Secret) or value in _DATABASES:
        return value
    allowed = f"sqlite, postgres, or a URL: {SHAPE}; with a password it is given {_BY_NAME}"
    if not is_database_url(value):
        fields.mistake("database", repr(value), allowed)
        return "sqlite"
    try:
        url = read_database_url(value)
    except ValueError as error:
        fields.mistake("database", str(error), allowed)
        return "sqlite"
    if url.has_password:
        fields.mistake("database", "a literal credential", f"a URL with a password {_BY_NAME}")
        return "sqlite"
    return value


def _accounts(fields: Fields, folder: Path | None) -> Path | None:
    if "accounts" in fields and "url" not in fields:
        fields.mistake("accounts", "accounts beside app", "with url alone: the CRM brings its own")
    return _file(fields, "accounts", folder, "a file of accounts")


def _file(fields: Fields, key: str, folder: Path | None, what: str) -> Path | None:
    text = fields.text(key, default="")
    if not text:
        return None
    if folder is None:
        return Path(text)
    path = (folder / text).resolve()
    if not path.is_file():
        fields.mistake(key, repr(text), f"{what} (looked for {path})")
    return path


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
        elif isinstance(value, str) and not value.isascii():
            fields.mistake(name, repr(value), "ASCII: nothing else can be sent in a header")
        headers[name] = value
    return headers
