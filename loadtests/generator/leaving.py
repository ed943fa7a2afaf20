"""What ``sys.exit`` in a locustfile ends: the test, as in the engine, but not what records it.

The event loop would raise it in the main greenlet, wherever that waits: a generator would be
gone without its last rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import gevent
from gevent.hub import Hub

from scenarios.errors import LocustfileError

_LEAVES = (SystemExit, KeyboardInterrupt)  # Ctrl-C does not reach a generator


def leave_by(told: Callable[[BaseException], None]) -> None:
    """Have a function called where a greenlet of a locustfile wants the process to end.

    Parameters
    ----------
    told : callable
        Called in the event loop with what was raised: it must not wait.
    """
    hub: Any = gevent.get_hub()
    assert isinstance(hub, Hub)  # noqa: S101 - narrows an untyped call
    original = hub.handle_system_error

    def handle(kind: type[BaseException], value: Any, tb: TracebackType | None = None) -> None:
        if issubclass(kind, _LEAVES):
            told(value if isinstance(value, BaseException) else kind(value))
        else:
            original(kind, value, tb)

    hub.handle_system_error = handle


@contextmanager
def refusing_to_leave(listener: str) -> Iterator[None]:
    """Refuse a locustfile that ends the process before there is any load.

    Parameters
    ----------
    listener : str
        The event to which it listens.

    Raises
    ------
    LocustfileError
        For a SystemExit or a KeyboardInterrupt.
    """
    try:
        yield
    except _LEAVES as error:
        raise LocustfileError(
            f"the locustfile's listener of {listener} ended the process: "
            f"{type(error).__name__}({error}); nothing was sent",
            hint="let it return, or raise another error in the body of the file",
        ) from error
