"""Reads the header ``Server-Timing``: where the server says that its time went."""

from __future__ import annotations

import re

_ENTRY = re.compile(
    r"\s*([!#$%&'*+.^_`|~\w-]+)((?:\s*;\s*[\w-]+\s*(?:=\s*(?:\"[^\"]*\"|[^;,]*))?)*)"
)
_PARAMETER = re.compile(r";\s*([\w-]+)\s*=\s*(?:\"([^\"]*)\"|([^;,]*))")

_USUAL = re.compile(
    r'app;dur=(\d{1,6}(?:\.\d{1,9})?), db;dur=(\d{1,6}(?:\.\d{1,9})?), queries;desc="(\d{1,9})"'
)
"""As the reference CRM writes it: read in a tenth of the time."""

_MAX_INT32 = 2**31 - 1


def parse(header: str | None) -> tuple[int, int, int]:
    """Read application time, database time and number of queries.

    Parameters
    ----------
    header : str or None
        Such as ``app;dur=3.2, db;dur=1.1, queries;desc="4"`` (durations in ms).

    Returns
    -------
    tuple of (int, int, int)
        Microseconds, microseconds, count; -1 where nothing is said.
    """
    if not header:
        return -1, -1, -1
    usual = _USUAL.fullmatch(header)
    if usual is not None:
        app, database, queries = usual.groups()
        return round(float(app) * 1000), round(float(database) * 1000), int(queries)
    found = {"app": -1, "db": -1, "queries": -1}
    for entry in _ENTRY.finditer(header):
        name = entry[1].lower()
        if name not in found or found[name] >= 0:
            continue
        values = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(entry[2])}
        found[name] = _number(values.get("desc" if name == "queries" else "dur"), name)
    return found["app"], found["db"], found["queries"]


def _number(text: str | None, name: str) -> int:
    try:
        value = float(text or "")
    except ValueError:
        return -1
    scaled = value if name == "queries" else value * 1000
    return round(scaled) if 0 <= scaled <= _MAX_INT32 else -1
