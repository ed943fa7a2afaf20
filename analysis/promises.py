"""What a write to the reference CRM promises to leave, by its address.

The contract: each operation of the API that is answered well has left exactly one row that
tells of its request, a new record or an entry in the journal. The exceptions stand here, and
so does every form of the pages, because not all of them keep the contract whoever sends them.
A test holds this against every address that the CRM serves.
"""

from __future__ import annotations

import re
from enum import StrEnum

API = "/api/"

WITHOUT_ROW = frozenset({"POST /api/v1/_audit", "POST /login", "POST /logout"})
"""They store nothing that is lost with them: questions, and sessions in a cookie."""

OPEN_FORMS = frozenset({"POST /feedback"})
"""Forms that anybody may send."""

FORMS = frozenset(
    {
        "POST /customers/new",
        "POST /customers/{id}/edit",
        "POST /customers/{id}/activities",
        "POST /orders/{id}/status",
        "POST /feedback/{id}/responses",
        "POST /feedback/{id}/resolve",
    }
)
"""Forms of those who are signed in. Anybody else is led to sign in and nothing is stored: an
answer that looks like any other to a client that does not check where it leads."""


class Promise(StrEnum):
    """What a write that was answered well has left."""

    ROW = "row"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


def promise(name: str, *, checked: bool) -> Promise:
    """Tell what a write promises.

    Parameters
    ----------
    name : str
        Method and endpoint: an address with ids or with placeholders for them, or what a
        locustfile calls it.
    checked : bool
        Whether the client looked at what came back, as the personas do.

    Returns
    -------
    Promise
        Unknown for what a locustfile has named itself, and for a form of somebody who may
        not have been signed in.
    """
    method, _, path = name.partition(" ")
    address = f"{method} {_without_ids(path)}"
    if address in WITHOUT_ROW:
        return Promise.NOTHING
    if address in OPEN_FORMS or path.startswith(API) or (checked and address in FORMS):
        return Promise.ROW
    return Promise.UNKNOWN


_ID = re.compile(r"(?<=/)(?:\d+|\{[^/{}]*\})(?=/|$)")


def _without_ids(path: str) -> str:
    return _ID.sub("{id}", path)
