"""The connections of one session: one to each server, kept, and opened anew when stale."""

from __future__ import annotations

from loadtests.generator.client.answer import Answer
from loadtests.generator.client.connection import Connection, TlsConnection
from loadtests.generator.client.failures import StaleConnection
from loadtests.generator.client.origin import Origin
from loadtests.generator.client.tls import trust
from loadtests.generator.clock import now_ns
from loadtests.generator.outcomes import own_limit
from loadtests.generator.recorder import Sent
from loadtests.generator.sending import Sending


class Connections:
    """What one session sends through.

    Parameters
    ----------
    sending : Sending
        Whose certificate authorities are trusted, and who watches what is connecting.
    """

    def __init__(self, sending: Sending) -> None:
        self._ca = sending.ca
        self._limited = sending.limited
        self._connecting = sending.recorder.connecting
        self._kept: dict[str, Connection] = {}

    def exchange(self, origin: Origin, message: bytes, sent: Sent, *, head: bool) -> Answer:
        """Send a request and wait for its answer.

        Nothing is sent twice: a kept connection is opened anew only while no byte of the
        request has left, and that is counted in `sent.attempt`.

        Parameters
        ----------
        origin : Origin
            Where to.
        message : bytes
            The request.
        sent : Sent
            Gets its times.
        head : bool
            Whether the method is HEAD.

        Returns
        -------
        Answer
            Good until the next exchange.

        Raises
        ------
        OSError
            When there is no connection, or it fails.
        ConnectionResetError
            When a new one was closed before a byte was sent.
        ExchangeError
            When what comes is no whole answer.
        """
        kept = self._kept.pop(origin.text, None)  # not for others while it is in use
        if kept is not None and kept.is_open:
            if not kept.is_stale(sent.sent_ns):
                try:
                    answer = kept.exchange(message, sent, head=head)
                except StaleConnection:
                    pass
                else:
                    self._keep(origin, kept)
                    return answer
            kept.close()
            sent.attempt = 1
        connection = self._open(origin, sent)
        try:
            answer = connection.exchange(message, sent, head=head)
        except StaleConnection as stale:
            raise ConnectionResetError from stale
        self._keep(origin, connection)
        return answer

    def _keep(self, origin: Origin, connection: Connection) -> None:
        if origin.text in self._kept:
            connection.close()  # a request beside this one has kept another
        else:
            self._kept[origin.text] = connection

    def _open(self, origin: Origin, sent: Sent) -> Connection:
        secure = origin.is_secure
        connection = TlsConnection(origin, trust(self._ca)) if secure else Connection(origin)
        self._connecting[sent.number] = sent
        try:
            connection.open()
        except OSError as error:
            if why := own_limit(error):
                self._limited(why)
            raise
        finally:
            self._connecting.pop(sent.number, None)
        sent.connected_ns = now_ns()
        return connection

    def close(self) -> None:
        """Close them all; a later request opens new ones."""
        for connection in self._kept.values():
            connection.close()
