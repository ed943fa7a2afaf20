"""The CRM's own gauges, from its ``/metrics``, once a second.

Asked from a thread and on a connection of its own, with a short timeout: a target that
is frozen must not stop who watches it, and a second without an answer has no line. It
is one request a second beside the load, which the CRM counts among its own and no
sample of the run holds.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from analysis.recording.format import RESOURCES
from analysis.recording.writer import LineFile
from loadtests.connecting import connection_to
from loadtests.run_watch import RunState

ROLE = "crm"
TIMEOUT_S = 0.5
_OK = 200

NAMES = {
    "crm_in_flight": "in_flight",
    "crm_pool_size": "pool_size",
    "crm_pool_checked_out": "pool_used",
    "crm_pool_waits": "pool_waits",
}
"""Gauges of a worker, and what they are called in ``resources.jsonl``."""

_LINE = re.compile(r'(\w+)\{(?:[^}]*,)?pid="(\d+)"[^}]*\} (\S+)')


def read_gauges(text: str) -> dict[int, dict[str, int]]:
    """Read the gauges of each worker.

    Parameters
    ----------
    text : str
        In Prometheus' format.

    Returns
    -------
    dict of int to dict
        By process id: requests being served, connections that the pool may hold and
        those in use, and how many requests have waited for one so far. Nothing of
        what is no CRM.
    """
    found: dict[int, dict[str, int]] = {}
    for name, pid, value in _LINE.findall(text):
        if name in NAMES:
            found.setdefault(int(pid), {})[NAMES[name]] = int(float(value))
    return found


class Gauges:
    """Writes the CRM's gauges to ``resources.jsonl``; one of the watchers of a run.

    Parameters
    ----------
    base_url : str
        Of the CRM.
    folder : Path
        The run folder.
    headers : mapping of str to str
        Sent with every request of the run.
    ca : Path, optional
        Certificate authorities beside the system's.
    every_s : float
        Seconds.
    """

    def __init__(
        self,
        base_url: str,
        folder: Path,
        headers: Mapping[str, str],
        *,
        ca: Path | None = None,
        every_s: float = 1.0,
    ) -> None:
        self._every_s = every_s
        self._base_url = base_url
        self._ca = ca
        self._headers = dict(headers)
        self._file = LineFile(folder / RESOURCES)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self, run: RunState, t_s: float) -> None:  # noqa: ARG002 - the thread has the clock
        """Begin to ask, once."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._ask_for_ever, args=(run.now_s,), name="gauges", daemon=True
            )
            self._thread.start()

    def close(self, run: RunState) -> None:  # noqa: ARG002 - as every watcher
        """Ask no more."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT_S)

    def _ask_for_ever(self, now_s: Callable[[], float]) -> None:
        connection = connection_to(self._base_url, ca=self._ca, timeout_s=TIMEOUT_S)
        while not self._ending.wait(self._every_s - now_s() % self._every_s):
            began_s = now_s()
            try:
                gauges = self._ask(connection)
            except (OSError, http.client.HTTPException, ValueError):
                connection.close()  # the next request opens it again
                continue
            try:
                for pid, values in sorted(gauges.items()):
                    self._file.write({"t_s": round(began_s, 3), "role": ROLE, "pid": pid, **values})
            except OSError:  # a full disk: the run ends by those whose records it cannot do without
                break
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> dict[int, dict[str, int]]:
        """Ask once.

        Raises
        ------
        ValueError
            When it is refused.
        """
        query = urlencode([("name[]", name) for name in NAMES])
        path = f"{urlsplit(self._base_url).path.rstrip('/')}/metrics?{query}"
        connection.request("GET", path, headers=self._headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        if response.status != _OK:
            raise ValueError(f"/metrics answered {response.status}")
        return read_gauges(text)
