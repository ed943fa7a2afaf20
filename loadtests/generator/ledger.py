"""Numbers, names and rows: what is written of this process, and how it comes to the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from analysis.recording.format import Outcome
from analysis.recording.writer import StreamWriter
from loadtests.generator.batches import Batches
from loadtests.generator.clock import now_ns
from loadtests.generator.in_flight import VirtualUser
from loadtests.generator.routes import Routes
from loadtests.generator.rows import pack_missed
from loadtests.generator.statistics import BulkStatistics
from loadtests.generator.tally import Second, Tally
from scenarios.model import Budget


class Ledger:
    """The samples of this process.

    Parameters
    ----------
    folder : Path
        The run folder.
    process : int
        Number of this generator process.
    failed : callable
        Called with the exception when samples cannot be written: the run ends.
    budgets : sequence of Budget
        What each second counts for whoever watches.

    Attributes
    ----------
    origin_ns : int
        The start of the run on the monotonic clock.
    requests : int
        Numbers given out: to requests, and to arrivals that were given up.
    missed_arrivals : int
        The latter, but for those that were cancelled.
    late_arrivals : int
        Arrivals that a virtual user was handed late because none had been free, and starts
        of paced users that were overdue when they were begun; not those that were missed.
    """

    def __init__(
        self,
        folder: Path,
        process: int,
        failed: Callable[[BaseException], None],
        budgets: Sequence[Budget] = (),
    ) -> None:
        self._failed = failed
        writer = StreamWriter(folder, process)
        self._routes = Routes(folder, process, self._fail)
        self._batches = Batches(writer, process, self._routes, Tally(budgets), self._fail)
        self._buffer = self._batches.buffer
        self._transactions = 0
        self._users = 0
        self._clicks: dict[str | None, int] = {None: -1}
        self.origin_ns = now_ns()
        self.requests = 0
        self.missed_arrivals = 0
        self.late_arrivals = 0

    def _fail(self, error: BaseException) -> NoReturn:
        """Tell that samples cannot be written.

        Raises
        ------
        BaseException
            The same, where the run does not end at once.
        """
        self._failed(error)
        raise error

    def new_user(self, persona: str | None) -> VirtualUser:
        """Give a virtual user its number."""
        self._users += 1
        return VirtualUser(self._users - 1, persona, self._routes.number("persona", persona))

    def _click(self, click: str | None) -> int:
        known = self._clicks.get(click)
        if known is None:
            known = self._clicks[click] = self._routes.number("click", click)
        return known

    def missed(
        self,
        user: VirtualUser | None,
        persona: str | None,
        click: str | None,
        intended_ns: int,
        *,
        method: str | None = None,
        endpoint: str | None = None,
        outcome: Outcome = Outcome.MISSED,
    ) -> None:
        """Note an arrival that was never sent, and is given up now.

        Parameters
        ----------
        user : VirtualUser or None
            Whose it was; None when no user was free.
        persona, click : str or None
            Who would have done what.
        intended_ns : int
            When, on the monotonic clock.
        method, endpoint : str or None
            Of its first request, where that is known: budgets on that endpoint count it.
        outcome : Outcome
            Missed; or cancelled, where the run was cut short.
        """
        self.requests += 1
        self.missed_arrivals += outcome is Outcome.MISSED
        self._transactions += 1
        route = -1
        if method is not None and endpoint is not None:
            route = self._routes.route(method, endpoint)
        self._buffer += pack_missed(
            self.requests,
            transaction=self._transactions,
            intended_ns=intended_ns,
            user=-1 if user is None else user.number,
            route=route,
            click=self._click(click),
            persona=self._routes.number("persona", persona),
            outcome=outcome,
        )

    def feed(self, statistics: BulkStatistics) -> None:
        """Feed the engine's statistics with what the engine hears of from us alone."""
        self._batches.statistics = statistics

    @property
    def own(self) -> int:
        """Finished requests that the engine heard of from us alone."""
        return self._batches.own

    @property
    def too_many_endpoints(self) -> bool:
        """Whether endpoints beyond the first thousand were counted together."""
        return self._routes.overflowed

    def take_second(self) -> Second:
        """Take what ended since the last call."""
        return self._batches.take_second()

    def close(self) -> int:
        """Write the rest.

        Returns
        -------
        int
            Rows in the stream.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        return self._batches.close(self.origin_ns)
