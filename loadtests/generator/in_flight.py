"""Virtual users and requests, as the recorder knows them while they are under way."""

from __future__ import annotations

from gevent import getcurrent

from loadtests.generator.clock import now_ns


class VirtualUser:
    """What the recorder knows of one virtual user.

    Attributes
    ----------
    number : int
        In this process.
    persona, click : str or None
        Who it is, and the step of its journey that it is at.
    transaction, step : int
        Number of the click, and of the next request in it; the click is -1 at first.
    intended_ns : int or None
        When the next request is intended; None: when it is sent.
    free_ns : int
        When its last request ended; -1 before there was one.
    waited_ns : int
        How long it has waited for answers in all.
    paced : bool
        Whether the next start has its place on a grid.
    unjudged : list of Sent
        Answers that the client has not judged yet.
    """

    __slots__ = (
        "click",
        "click_number",
        "free_ns",
        "intended_ns",
        "number",
        "paced",
        "persona",
        "persona_number",
        "step",
        "transaction",
        "unjudged",
        "waited_ns",
    )

    def __init__(self, number: int, persona: str | None, persona_number: int) -> None:
        self.number = number
        self.persona = persona
        self.persona_number = persona_number
        self.click: str | None = None
        self.click_number = -1
        self.transaction = -1
        self.step = 0
        self.intended_ns: int | None = None
        self.free_ns = -1
        self.waited_ns = 0
        self.paced = False
        self.unjudged: list[Sent] = []


class Sent:
    """A request that was sent; it becomes a row when it ends.

    Attributes
    ----------
    number : int
        Of the request in this process.
    intended_ns, sent_ns, connected_ns, first_byte_ns, done_ns : int
        On the monotonic clock; -1 = did not happen, or not yet.
    free_ns : int
        When its user's request before had ended; -1 when there was none.
    attempt : int
        1 when a kept connection was stale and was opened again before a byte was sent.
    greenlet : greenlet
        Where it is sent: a timeout is thrown there.
    """

    __slots__ = (
        "attempt",
        "click",
        "connected_ns",
        "done_ns",
        "first_byte_ns",
        "free_ns",
        "greenlet",
        "intended_ns",
        "method",
        "name",
        "number",
        "packed",
        "sent_ns",
        "step",
        "transaction",
        "user",
    )

    def __init__(self, number: int, method: str, name: str, user: VirtualUser) -> None:
        self.number = number
        self.method = method
        self.name = name
        self.user = user
        self.transaction = user.transaction
        self.click = user.click_number
        self.step = user.step
        self.greenlet = getcurrent()
        self.connected_ns = self.first_byte_ns = self.done_ns = -1
        self.attempt = 0
        self.packed = False
        self.free_ns = user.free_ns
        self.sent_ns = sent_ns = now_ns()
        intended_ns = user.intended_ns
        self.intended_ns = sent_ns if intended_ns is None else intended_ns
