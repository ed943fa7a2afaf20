"""Text as it is searched for: the same on every database, because no database does it."""

import unicodedata

KEY_LONGEST = 120
"""Folding may lengthen a text (one character becomes up to eighteen): a key is cut here."""

_LAST = "\U0010ffff"


def fold(text: str) -> str:
    """
    Give the key under which a text is found, whatever its case or its Unicode form.

    Databases disagree on what lower case is (SQLite folds ASCII alone, PostgreSQL what its locale
    knows), so keys are made here and stored beside the text.

    Parameters
    ----------
    text : str
        A name.

    Returns
    -------
    str
        Compatibility-composed and case-folded (Unicode 5.18, NFKC_Casefold in all but ignorable
        characters), with single spaces, at most `KEY_LONGEST` characters.
    """
    if text.isascii():  # the usual case, and quick
        return " ".join(text.lower().split())[:KEY_LONGEST]
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())[:KEY_LONGEST]


def prefix_range(prefix: str) -> tuple[str, str]:
    """
    Give the range of keys that begin with a prefix.

    A range, and not LIKE: an index serves it on every database, and nothing in it is a wildcard.

    Parameters
    ----------
    prefix : str
        A folded text.

    Returns
    -------
    tuple of str
        The first key, and one beyond the last.
    """
    return prefix, prefix + _LAST
