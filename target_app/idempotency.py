"""``Idempotency-Key``: a request that is sent again is answered again, and done once.

The key is stored in the transaction of what it stands for, so that neither is ever there without
the other. A second request with the same key waits for the first and gets its answer; when that
takes too long it is told that the database is busy (503). A key is good for a day; each new one
takes some away that are older.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Response, request
from sqlalchemy import bindparam, delete, select, text, update

from target_app import bodies, conditions, database
from target_app.models import IdempotencyKey, table_of
from target_app.problems import FieldError, Invalid

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_GOOD_FOR = timedelta(days=1)
_FORGOTTEN_AT_ONCE = 20

_keys = table_of(IdempotencyKey)
_OWN = (_keys.c.user_id == bindparam("of_user")) & (_keys.c.key == bindparam("of_key"))
_FIND = select(_keys.c.request_sha256, _keys.c.status, _keys.c.location, _keys.c.body).where(_OWN)
_FORGET = delete(_keys).where(_OWN & (_keys.c.created_at < bindparam("before")))
_OLDEST = (
    select(_keys.c.id)
    .where(_keys.c.created_at < bindparam("before"))
    .order_by(_keys.c.created_at)
    .limit(_FORGOTTEN_AT_ONCE)
    # PostgreSQL: others take some away at the same time, and none waits for another.
    .with_for_update(skip_locked=True)
)
_FORGET_OLDEST = delete(_keys).where(_keys.c.id.in_(_OLDEST))
_KEEP = update(_keys).where(_OWN)
# The same words on both databases; the second of two waits here until the first is done.
_CLAIM = text(
    "INSERT INTO idempotency_keys (user_id, key, request_sha256, status, body, created_at) "
    "VALUES (:user_id, :key, :request_sha256, 0, '', :created_at) ON CONFLICT DO NOTHING"
)


def key_of_request() -> str | None:
    """
    Read the key of the current request.

    Returns
    -------
    str or None
        None, when it carries none.

    Raises
    ------
    Invalid
        422, when it is none that we would store.
    """
    key = request.headers.get(HEADER)
    if key is not None and not KEY.fullmatch(key):
        message = "must have 1 to 64 of the characters A-Z a-z 0-9 . _ : -"
        raise Invalid([FieldError(HEADER, message)])
    return key


def once(key: str, user_id: int, view: Callable[[], Response]) -> Response:
    """
    Run a view, unless its request has been served before.

    Parameters
    ----------
    key : str
        Of the request.
    user_id : int
        Whose; others may use the same key.
    view : callable
        Does the work, and does not commit.

    Returns
    -------
    Response
        The view's, or the one that it gave the first time, marked ``Idempotency-Replayed: true``.

    Raises
    ------
    Invalid
        422, when the key stood for another request.
    """
    digest = _digest()
    now = datetime.now(UTC)
    before = (now - _GOOD_FOR).isoformat(timespec="microseconds").replace("+00:00", "Z")
    database.change(_FORGET, of_user=user_id, of_key=key, before=before)
    if not _claim(key, user_id, digest):
        return _replay(key, user_id, digest)
    database.change(_FORGET_OLDEST, before=before)
    answer = view()
    database.change(
        _KEEP,
        of_user=user_id,
        of_key=key,
        status=answer.status_code,
        location=answer.headers.get("Location"),
        body=answer.get_data(as_text=True),
    )
    return answer


def _claim(key: str, user_id: int, digest: str) -> bool:
    """Take a key, unless it is taken."""
    row = {"user_id": user_id, "key": key, "request_sha256": digest, "created_at": database.now()}
    return database.change(_CLAIM, **row) == 1


def _replay(key: str, user_id: int, digest: str) -> Response:
    """
    Answer as the first time.

    Raises
    ------
    Invalid
        When this is not the same request.
    """
    found = database.rows(_FIND, of_user=user_id, of_key=key)[0]
    if found.request_sha256 != digest:
        raise Invalid([FieldError(HEADER, "was used for another request; take a new one")])
    answer = Response(found.body, status=found.status, mimetype="application/json")
    if found.location:
        answer.headers["Location"] = found.location
    version = json.loads(found.body).get("version")
    if version is not None:
        conditions.tagged(answer, version)
    answer.headers[REPLAYED] = "true"
    return answer


def _digest() -> str:
    """Hash what makes two requests the same: method, path and body."""
    asked = f"{request.method} {request.path}\n".encode()
    return hashlib.sha256(asked + bodies.read()).hexdigest()
