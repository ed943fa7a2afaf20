"""An architect's own table: load and throughput, read from a CSV file.

::

    # a comment                    comments and empty lines do not count
    users,throughput               named columns in any order, any case; or two columns of numbers
    0,0                            before the load began: left out
    1,64.9                         comma, semicolon or tab between them
    18,995.9
    18,1003.2                      a load that comes again is a repetition

A first line ``sep=;``, as Excel reads it, names what parts the fields. Where that is no comma,
numbers may have decimal commas (:mod:`analysis.written_numbers`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from analysis.written_numbers import (
    COMMA,
    SEMICOLON,
    Notation,
    about_marks,
    may_be_number,
    notation_of,
    read_number,
)
from scenarios.errors import UsageError

LOADS = {
    "users": ("users", "user", "vus", "vu"),
    "load": (
        "load", "n", "q", "concurrency", "threads", "clients", "connections", "workers",
        "processors", "cpus", "cores", "processes", "level",
    ),
    "in_flight": ("inflight", "in_flight"),
}  # fmt: skip
"""Names of a column of loads, by what the loads then are."""

THROUGHPUTS = (
    "throughput", "tput", "rps", "tps", "qps", "ops", "x", "rate", "hits", "xput", "requests_s",
    "req_s", "ops_s", "requests_per_second", "transactions_per_second", "queries_per_second",
)  # fmt: skip

DELIMITERS = ("\t", SEMICOLON, COMMA)
"""In this order they are looked for; a first line ``sep=X`` may name a bar, too."""

LEAST, MOST = 1e-9, 1e12
"""Between these lie loads, and throughputs that are not 0: what is beyond is a slip of a key."""

MOST_MISTAKES = 20
"""So many are listed; a file that has more has them for one reason."""

_ADVICE = (
    "write a line of names such as users,throughput and a line of two numbers for each measurement"
)
_SEPARATOR = re.compile(r'\s*"?sep=(.+?)"?', re.IGNORECASE)
_LOAD = "above 0: 1e-9 to 1e12"
_THROUGHPUT = "0 or more: 0, or 1e-9 to 1e12"
_BRACKETS = re.compile(r"[(\[].*?[)\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTable:
    """Loads and throughputs, a pair a measurement.

    Attributes
    ----------
    rows : tuple of (float, float)
        Load (above 0) and throughput (0 or more), in the order of the file.
    left_out : tuple of int
        Lines of the file with load 0 and throughput 0: nothing was measured there.
    doubtful : str or None
        A number of it that is read with decimals, and might as well have thousands.
    load_column, throughput_column : str
        As the file names them.
    axis : str
        What loads are by the column's name: ``"users"``, ``"in_flight"`` or ``"load"``.
    """

    rows: tuple[tuple[float, float], ...]
    left_out: tuple[int, ...] = ()
    doubtful: str | None = None
    load_column: str
    throughput_column: str
    axis: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    fields: list[str]


def read_table(
    text: str, *, name: str, load: str | None = None, throughput: str | None = None
) -> LoadTable:
    """Read a table.

    Parameters
    ----------
    text : str
        The file, with or without a byte order mark.
    name : str
        Of the file, for messages.
    load, throughput : str, optional
        Columns by name or by number from 1; by default found by their names.

    Returns
    -------
    LoadTable
        At least one row.

    Raises
    ------
    UsageError
        With every mistake of the file and its line.
    """
    lines, delimiter = _lines(text, name)
    if not lines:
        raise UsageError(f"{name}: found no rows", hint=_ADVICE)
    header = lines[0].fields if _is_header(lines[0].fields, delimiter) else None
    body = lines[1:] if header else lines
    if not body:
        raise UsageError(f"{name}: found a line of names and no rows below it", hint=_ADVICE)
    width = len(header or body[0].fields)
    names = header or [f"column {i + 1}" for i in range(width)]
    if width < 2:  # noqa: PLR2004 - a load and a throughput
        raise UsageError(
            f"{name}:{lines[0].number}: found one column; allowed: two or more, with a comma, a "
            "semicolon or a tab between them",
            hint=_ADVICE,
        )
    numeric = [i for i in range(len(names)) if _has_numbers(body, i, delimiter)]
    columns = _columns(name, names, numeric, load, throughput)
    fields = [line.fields[i] for line in body for i in columns if i < len(line.fields)]
    notation = notation_of(fields, delimiter)
    rows, left_out = _rows(name, body, names, columns, notation)
    load_column, throughput_column = (names[each] for each in columns)
    known = _kind(load_column) or _kind(load_column, loosely=True)
    return LoadTable(
        rows=tuple(rows),
        left_out=tuple(left_out),
        doubtful=notation.doubtful,
        load_column=load_column,
        throughput_column=throughput_column,
        axis=known if known in LOADS else "load",
    )


def _lines(text: str, name: str) -> tuple[list[_Line], str]:
    """Split into fields, without comments and empty lines.

    Raises
    ------
    UsageError
        When the file is no CSV, or a line ``sep=`` names what parts nothing.
    """
    plain = text.removeprefix("\ufeff")
    kept = [
        line if line.strip() and not line.lstrip().startswith("#") else ""
        for line in plain.splitlines()
    ]
    at, first = next(((at, line) for at, line in enumerate(kept) if line), (0, ""))
    delimiter = next((each for each in DELIMITERS if each in first), COMMA)
    named = _SEPARATOR.fullmatch(first)
    if named:
        delimiter, kept[at] = named[1].strip(" ") or " ", ""
        if delimiter not in {*DELIMITERS, "|"}:
            raise UsageError(
                f"{name}:{at + 1}: sep=: found {delimiter!r}; allowed: a comma, a semicolon, a tab "
                "or a bar"
            )
    reader = csv.reader(io.StringIO("\n".join(kept)), delimiter=delimiter)
    try:
        return [
            _Line(reader.line_num, [field.strip() for field in fields])
            for fields in reader
            if any(field.strip() for field in fields)
        ], delimiter
    except csv.Error as error:
        why = f"{error}; a quotation mark that is not closed?"
        raise UsageError(f"{name}: up to line {reader.line_num}: {why}", hint=_ADVICE) from error


def _is_header(fields: Sequence[str], delimiter: str) -> bool:
    return any(fields) and not any(may_be_number(field, delimiter) for field in fields)


def _has_numbers(body: Sequence[_Line], column: int, delimiter: str) -> bool:
    return any(
        column < len(line.fields) and may_be_number(line.fields[column], delimiter) for line in body
    )


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", _BRACKETS.sub("", name).strip().lower()).strip("_")


def _kind(name: str, *, loosely: bool = False) -> str:
    """Say what a column holds by its name: a kind of load, ``"throughput"``, or nothing."""
    word = _plain_name(name)
    if loosely:  # users_total, throughput_mean
        word = word.split("_")[0]
    if word in THROUGHPUTS:
        return "throughput"
    return next((kind for kind, known in LOADS.items() if word in known), "")


def _found(names: Sequence[str], kinds: Container[str], taken: int | None) -> int | None:
    """Find the one column whose name says it, by the whole of the name or by its first word."""
    for loosely in (False, True):
        found = [
            i
            for i, each in enumerate(names)
            if i != taken and _kind(each, loosely=loosely) in kinds
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _columns(
    name: str,
    names: Sequence[str],
    numeric: Sequence[int],
    load: str | None,
    throughput: str | None,
) -> tuple[int, int]:
    mistakes: list[str] = []
    at_load = _named(name, names, load, "--load", mistakes)
    at_x = _named(name, names, throughput, "--throughput", mistakes)
    if mistakes:
        raise UsageError("\n  ".join(mistakes))
    if at_load is None:
        at_load = _found(names, LOADS, at_x)
    if at_x is None:
        at_x = _found(names, {"throughput"}, at_load)
    rest = [i for i in numeric if i not in {at_load, at_x}]
    if at_load is None and at_x is None and len(rest) == 2:  # noqa: PLR2004 - load, throughput
        at_load, at_x = rest
    elif at_load is None and len(rest) == 1:
        at_load = rest[0]
    elif at_x is None and len(rest) == 1:
        at_x = rest[0]
    if at_load is None or at_x is None:
        missing = "load" if at_load is None else "throughput"
        raise UsageError(
            f"{name}: which column is the {missing} is not clear; found: {', '.join(names)}",
            hint="name the columns: --load COLUMN --throughput COLUMN (a name, or a number from 1)",
        )
    if at_load == at_x:
        raise UsageError(
            f"{name}: {names[at_load]} cannot be both; allowed: a column for the load, another for "
            "the throughput"
        )
    return at_load, at_x


def _named(
    name: str, names: Sequence[str], asked: str | None, option: str, mistakes: list[str]
) -> int | None:
    """Find a column that was asked for; what is wrong with it goes to `mistakes`."""
    if asked is None:
        return None
    wanted = asked.strip().lower()
    found = [i for i, each in enumerate(names) if each.lower() == wanted]
    found = found or [i for i, each in enumerate(names) if _plain_name(each) == _plain_name(asked)]
    if len(found) == 1:
        return found[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    mistakes.append(
        f"{option} {asked}: found {'several columns' if found else 'no column'} of that name in "
        f"{name}; allowed: {', '.join(names)}, or 1 to {len(names)}"
    )
    return None


def _rows(
    name: str,
    body: Sequence[_Line],
    names: Sequence[str],
    columns: tuple[int, int],
    notation: Notation,
) -> tuple[list[tuple[float, float]], list[int]]:
    """Read the measurements, and name the lines that measured nothing.

    Raises
    ------
    UsageError
        With every mistake; when no line measured anything.
    """
    mistakes: list[str] = []
    rows, left_out = [], []
    for line in body:
        found = _row(line, names, columns, notation, mistakes)
        if found == (0, 0):
            left_out.append(line.number)
        elif found is not None:
            rows.append(found)
    if mistakes:
        raise UsageError(f"{name}: {_listed(mistakes)}", hint=_ADVICE)
    if not rows:
        raise UsageError(
            f"{name}: found load 0 and throughput 0 in every row; allowed: at least one row with "
            "a load above 0",
            hint="are these the columns? name them: --load COLUMN --throughput COLUMN",
        )
    return rows, left_out


def _row(
    line: _Line,
    names: Sequence[str],
    columns: tuple[int, int],
    notation: Notation,
    mistakes: list[str],
) -> tuple[float, float] | None:
    """Read a line; what is wrong with it goes to `mistakes`."""
    if len(line.fields) != len(names):
        comma = (
            "; if these are decimal commas, write points, or semicolons between fields"
            if notation.comma_parts_fields and len(line.fields) > len(names)
            else ""
        )
        mistakes.append(
            f"line {line.number}: found {len(line.fields)} fields; allowed: {len(names)}{comma}"
        )
        return None
    load, x = (read_number(line.fields[column], notation) for column in columns)
    if load == 0 and x == 0:  # as a table has it that begins before the load does
        return 0.0, 0.0
    found = []
    for column, value, allowed in zip(columns, (load, x), (_LOAD, _THROUGHPUT), strict=True):
        if value is not None and (
            LEAST <= value <= MOST or (value == 0 and allowed == _THROUGHPUT)
        ):
            found.append(value)
            continue
        field = line.fields[column]
        what = repr(field) if field else "nothing"
        marks = about_marks(field, notation) if value is None else ""
        mistakes.append(
            f"line {line.number}: {names[column]}: found {what}; allowed: a number {allowed}{marks}"
        )
    return (found[0], found[1]) if len(found) == len(columns) else None


def _listed(mistakes: Sequence[str]) -> str:
    count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
    more = len(mistakes) - MOST_MISTAKES
    shown = [f"  {mistake}" for mistake in mistakes[:MOST_MISTAKES]]
    if more > 0:
        shown.append(f"  and {more} more")
    return "\n".join([f"has {count}", *shown])
