"""Moments as callers write them, and as the tables keep them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from target_app.rules import Refused

_FORM = re.compile(
    r"(?:19[7-9]|20[0-9])[0-9]-[01][0-9]-[0-3][0-9]"
    r"T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?Z"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in UTC from 1970 to 2099, with up to six digits behind the second."""

    def __call__(self, value: object) -> str:
        """
        Check a moment.

        Parameters
        ----------
        value : object
            As JSON gave it.

        Returns
        -------
        str
            With all six digits, as it will be stored.

        Raises
        ------
        Refused
            When it is none, or out of range.
        """
        refused = Refused("must be a moment from 1970 to 2099, as 2026-01-31T09:30:00Z")
        if not isinstance(value, str) or not _FORM.fullmatch(value):
            raise refused
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise refused from None
        return as_text(moment)

    def json_schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema: see `target_app.rules.Rule`."""
        return {"type": "string", "format": "date-time", "pattern": f"^{_FORM.pattern}$"}


def as_text(moment: datetime) -> str:
    """
    Give a moment as the tables keep it.

    Parameters
    ----------
    moment : datetime
        In UTC.

    Returns
    -------
    str
    """
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
