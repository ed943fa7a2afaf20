"""How values look on a page: moments, money, words of the database."""

from __future__ import annotations

from datetime import datetime

from flask import Flask


def install(app: Flask) -> None:
    """
    Give an application's templates these functions as filters.

    Parameters
    ----------
    app : Flask
        The application.
    """
    app.jinja_env.filters |= {
        "clock": clock,
        "day": day,
        "initials": initials,
        "money": money,
        "month": month,
        "words": words,
    }


def day(moment: str) -> str:
    """
    Write the day of a moment.

    Parameters
    ----------
    moment : str
        As the tables keep it.

    Returns
    -------
    str
        Such as 3 Nov 2025.
    """
    date = datetime.fromisoformat(moment[:10])
    return f"{date.day} {date:%b} {date.year}"


def clock(moment: str) -> str:
    """
    Write a moment to the minute, in UTC.

    Parameters
    ----------
    moment : str
        As the tables keep it.

    Returns
    -------
    str
        Such as 3 Nov 2025, 14:05.
    """
    return f"{day(moment)}, {moment[11:16]}"


def month(name: str) -> str:
    """
    Write a month.

    Parameters
    ----------
    name : str
        Year and month, such as 2025-11.

    Returns
    -------
    str
        Such as Nov 2025.
    """
    return f"{datetime.fromisoformat(f'{name}-01'):%b %Y}"


def money(cents: int, currency: str = "") -> str:
    """
    Write an amount.

    Parameters
    ----------
    cents : int
        How much.
    currency : str
        Its code; none when the page says it elsewhere.

    Returns
    -------
    str
        Such as 1,234.50 EUR.
    """
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{rest:02} {currency}".rstrip()


def words(name: str) -> str:
    """
    Write a word of the database for people.

    Parameters
    ----------
    name : str
        Such as small_business.

    Returns
    -------
    str
        Such as small business.
    """
    return name.replace("_", " ")


def initials(name: str) -> str:
    """
    Shorten a name to what fits beside it.

    Parameters
    ----------
    name : str
        A person's or a company's.

    Returns
    -------
    str
        The first letters of its first and its last word; a question mark for one without letters.
    """
    letters = [word[0] for word in name.split() if word[0].isalnum()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"
