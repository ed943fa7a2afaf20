"""What the generator processes say while load is on, and what is concluded from it.

====================== =======================================================
a process              and the run
====================== =======================================================
ends with the schedule ends when all have
fails, or is lost      goes on with the others: an event, and an invalid stage
is the master, lost    ends: nobody deals the users out
is stopped by a        ends everywhere, for the same reason
locustfile
cannot write           ends everywhere: the disk is everybody's
is silent              goes on: an event; it is ended when its time is over
====================== =======================================================
"""

from __future__ import annotations

from typing import Any

from loadtests.generators import Generator
from loadtests.run_watch import RunState

_ENDS_ALL = frozenset({"stopped_by_locustfile", "host_refused"})


class Hearing:
    """Hears the generators of a run.

    Parameters
    ----------
    run : RunState
        The run.

    Attributes
    ----------
    refused_host : str or None
        Where load was about to go and may not.
    fault : str or None
        Why samples could not be written.
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self.refused_host: str | None = None
        self.fault: str | None = None

    def listen(self) -> None:
        """Hear what has been said, and notice those that have ended without a word."""
        for message in self._run.generators.hear():
            self._mind(message)
        for lost in self._run.generators.newly_lost():
            self._mind_lost(lost, lost.ended or "unknown")

    def _mind(self, message: dict[str, Any]) -> None:
        kind, why = message["kind"], message.get("why")
        master = self._run.generators.master
        if kind in {"ended", "stop_asked"} and why in _ENDS_ALL:
            self._run.generators.tell("stop", why=why)
        elif kind == "ended" and why == "master_lost" and master is not None and not master.lost:
            master.lost = True
            self._mind_lost(master, "silent")
        elif kind == "host_refused":
            self.refused_host = str(message["host"])
        elif kind == "fault":
            self.fault = str(message["message"])
            self._run.generators.tell("stop", why="records_lost")

    def _mind_lost(self, lost: Generator, reason: str, *, hung: bool = False) -> None:
        event = {"process": lost.process, "reason": reason}
        if lost.process is None:
            self._run.end("generator_lost", **event)
        else:
            since_s = lost.heard_s if hung else lost.silent_since_s
            t_s = self._run.now_s() if since_s is None else since_s
            self._run.event(t_s, "generator_lost", **event)

    def conclude(self, *, hurried: bool) -> tuple[str, float]:
        """Put together why and when the load ended, from what every process says.

        Parameters
        ----------
        hurried : bool
            Whether nobody waited for them: then those that still run are not lost.

        Returns
        -------
        tuple of (str, float)
            Why, and the second of run time.
        """
        senders = self._run.generators.senders
        for sender in senders:
            if sender.ended is None and not hurried:
                self._mind_lost(sender, "did not end, and was killed", hung=True)
        ends = [each.end for each in senders if each.end is not None]
        whys = sorted((str(end["why"]) for end in ends), key=lambda why: why != "finished")
        why = self._run.why or next(iter(whys), "generator_lost")
        if ends:
            return why, max(float(end["load_ended_s"]) for end in ends)
        # Nobody is left to say it. One that hangs may have done so until its time was over.
        hung = all(each.ended is None for each in senders) and not hurried
        heard = [each.heard_s for each in senders if each.heard_s is not None] if hung else []
        return why, max(heard, default=self._run.now_s())


class Silence:
    """Notes generator processes that have stopped writing the timeline, and their return."""

    SILENT_S = 2.5

    def look(self, run: RunState, t_s: float) -> None:
        """Look which processes have written a line lately."""
        heard = {int(line["process"]) for line in run.lines}
        over = run.why is not None or t_s > run.schedule.end_s
        for sender in run.generators.senders:
            process = sender.process or 0
            if process in heard:
                sender.heard_s = t_s
                if sender.silent_since_s is not None:
                    sender.silent_since_s = None
                    run.event(t_s, "generator_back", process=process)
            elif not over and sender.end is None and sender.ended is None:
                if sender.heard_s is None:
                    sender.heard_s = max(t_s, 0.0)
                self._mind(run, sender, sender.heard_s, t_s)

    def _mind(self, run: RunState, sender: Generator, heard_s: float, t_s: float) -> None:
        if t_s - heard_s > self.SILENT_S and sender.silent_since_s is None:
            sender.silent_since_s = round(heard_s, 3)
            run.event(t_s, "generator_silent", process=sender.process, since_s=round(heard_s, 3))

    def close(self, run: RunState) -> None:
        """Leave nothing behind."""
