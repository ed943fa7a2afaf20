"""A form on its way: what was typed, what is wrong with it, and the answer's status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from target_app import database
from target_app.problems import Conflict, FieldError, Invalid
from target_app.validation import Field, check


class Form:
    """
    The values of a form's fields, and the errors of those that were refused.

    Parameters
    ----------
    labels : mapping of str to str
        How the page names each field, by the name under which it is sent.
    values : mapping of str to object
        What stands in the fields; nothing in those left out.
    """

    def __init__(self, labels: Mapping[str, str], values: Mapping[str, object]) -> None:
        self.labels = labels
        self.values = {name: _typed(values.get(name)) for name in labels}
        self.errors: dict[str, str] = {}
        self.status = 200

    @classmethod
    def sent(cls, labels: Mapping[str, str]) -> Form:
        """
        Take what the current request sends.

        Parameters
        ----------
        labels : mapping of str to str
            The fields; everything else is ignored.

        Returns
        -------
        Form
        """
        return cls(labels, {name: request.form.get(name) for name in labels})

    def filled(self) -> dict[str, str]:
        """
        Give the fields in which there is something.

        Returns
        -------
        dict of str to str
            Their values by name.
        """
        return {name: value for name, value in self.values.items() if value.strip()}

    def check(self, schema: Mapping[str, Field]) -> dict[str, Any]:
        """
        Hold the fields against a schema of the API.

        Parameters
        ----------
        schema : mapping of str to Field
            What they may hold; it may leave fields of the form to its caller.

        Returns
        -------
        dict of str to object
            What the API makes of them.

        Raises
        ------
        Invalid
            With all errors.
        """
        return check(schema, {n: value for n, value in self.filled().items() if n in schema})

    def require_version(self, version: int, stale: str) -> None:
        """
        Make sure that a record has not been changed since its page was shown.

        Parameters
        ----------
        version : int
            That the record has now; the form sends the one that it had.
        stale : str
            What to say, when they differ.

        Raises
        ------
        Conflict
            When they differ.
        """
        if request.form.get("version") != str(version):
            raise Conflict([FieldError("/", stale)])

    def refuse(self, refusal: Invalid | Conflict) -> None:
        """
        Note what is wrong, and give up what has been written for the form so far.

        Parameters
        ----------
        refusal : Invalid or Conflict
            Says where, and what; what is at no field of the form counts for the whole of it.
        """
        # After a refusal by the database itself, PostgreSQL takes nothing more in a transaction.
        database.roll_back()
        self.status = refusal.code or self.status
        self.errors |= _by_field(refusal.errors, self.labels)


def _typed(value: object) -> str:
    return "" if value is None else str(value)


def _by_field(errors: Sequence[FieldError], labels: Mapping[str, str]) -> dict[str, str]:
    """Sort errors by field; those of the whole are named by the empty text."""
    places = [(error.path.strip("/").partition("/")[0], error.message) for error in errors]
    return {place if place in labels else "": message for place, message in places}
