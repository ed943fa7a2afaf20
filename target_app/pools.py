"""The pool of connections to the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.pool import PoolProxiedConnection, QueuePool


class WatchedPool(QueuePool):
    """A pool that counts how often somebody had to wait for a connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.waits = 0
        """So often was every connection in use; who waited too long is among them."""

    def connect(self) -> PoolProxiedConnection:
        """
        Give a connection; wait for one, where all are in use.

        Returns
        -------
        PoolProxiedConnection
        """
        if self.checkedout() >= self.size():
            self.waits += 1
        return super().connect()
