"""The nouns of a scenario: a static description of load and of what is allowed.

Instances are made by :mod:`scenarios.loading`, which reports every mistake of a
file together; an instance is therefore always valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.assertions import Assertion
from scenarios.personas import Persona
from scenarios.stop_rule import StopRule

Option = str | float | bool | tuple[str, ...]
"""Value of a switch of the CRM."""


def named(level: float, unit: str) -> str:
    """Write a level of load with its unit.

    Parameters
    ----------
    level : float
        Virtual users, or arrivals per second.
    unit : str
        As :attr:`Load.unit` has it.

    Returns
    -------
    str
        For example ``"1000 users"`` or ``"12.5 arrivals/s"``.
    """
    return f"{level:.10g} {'user' if level == 1 and unit == 'users' else unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value that lives in the environment; only its name is ever written."""

    env: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The system under load: the reference CRM, or anything at a URL.

    Attributes
    ----------
    app : str or None
        ``"crm"`` starts the reference CRM.
    url : str or None
        A system that is already running; then `app` is None.
    allow : tuple of str
        Hosts beside loopback that the scenario's author allows.
    database : str or Secret
        ``"sqlite"``, ``"postgres"`` (a server of our own), or the URL of a
        PostgreSQL database: literal without a password, else in the environment.
    options : mapping of str to Option
        Switches of the CRM; what is not named is as the CRM has it.
    extensions : tuple of str
        Modules of the CRM that are switched on.
    accounts : Path or None
        File of the accounts of a CRM at `url`; one that we start has its own.
    workers, threads : int
        Server processes, and threads in each.
    customers, seed : int
        Size and seed of the dataset.
    headers : mapping of str to (str or Secret)
        Sent with every request.
    ca : Path or None
        Certificate authorities that are trusted beside the system's.
    """

    app: str | None = "crm"
    url: str | None = None
    allow: tuple[str, ...] = ()
    database: str | Secret = "sqlite"
    options: Mapping[str, Option] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    accounts: Path | None = None
    workers: int = 1
    threads: int = 4
    customers: int = 20_000
    seed: int = 1
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A span of the load: a ramp to it, then a hold; only the hold is judged.

    Attributes
    ----------
    level : float
        Virtual users (closed model), or arrivals per second (open model).
    hold_s, ramp_s : float
        Seconds.
    """

    level: float
    hold_s: float
    ramp_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: by whom, how many, for how long.

    Attributes
    ----------
    mix : mapping of str to float
        Personas and their weights; empty with a locustfile.
    locustfile : Path or None
        Anybody's Locust users instead of a mix.
    think_scale : float
        Factor on every persona's think time; 1 is real.
    warmup_s, settle_s, timeout_s : float
        Seconds; `settle_s` None means 3 s or two mean think times.
    model : str
        ``"closed"``: users with think time; ``"open"``: arrivals of clicks per
        second, independent of responses.
    arrivals : str
        Of the open model: ``"poisson"`` or ``"even"``.
    max_users : int
        Virtual users that may exist.
    connect_timeout_s : float
        Seconds; of a connection, at most the timeout.
    required : float
        The load that must be carried; stages beyond it find the limit.
    extend_s : float
        The required stage is held on, at most so long, while a budget is undecided.
    seed : int or None
        Of what users do and when arrivals come; that of the dataset when None.
    stages : tuple of Stage
        At least one.
    """

    stages: tuple[Stage, ...]
    required: float
    model: str = "closed"
    arrivals: str = "poisson"
    mix: Mapping[str, float] = field(default_factory=dict)
    locustfile: Path | None = None
    think_scale: float = 1.0
    warmup_s: float = 0.0
    settle_s: float | None = None
    timeout_s: float = 10.0
    connect_timeout_s: float = 10.0
    max_users: int = 10_000
    extend_s: float = 0.0
    seed: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether arrivals come whether or not anybody was answered."""
        return self.model == "open"

    @property
    def unit(self) -> str:
        """What a level counts: ``"users"`` or ``"arrivals/s"``."""
        return "arrivals/s" if self.is_open else "users"

    def named(self, level: float) -> str:
        """Write a level with its unit, as in ``"1000 users"`` or ``"12.5 arrivals/s"``."""
        return named(level, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that the supervisor brings about from outside the target.

    Attributes
    ----------
    kind : str
        ``"freeze"`` (the processes are stopped, then continued) or ``"kill"``.
    process : str
        ``"server"`` or ``"worker"`` (one of the server's).
    at_s : float
        Seconds of run time.
    lasts_s : float
        Seconds; a server that was killed is started again after so long. 0 for a
        worker: its server starts it again.
    """

    kind: str
    process: str
    at_s: float
    lasts_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Who expects something, and on what ground; None where nobody said.

    Attributes
    ----------
    owner : str or None
        A person, a role or a department.
    source : str or None
        A standard, a vendor's benchmark, own history, a contract or an assumption, with
        details after a colon.
    """

    owner: str | None = None
    source: str | None = None


NOBODY = Expectation()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthExpectation:
    """How fast a time may grow with the volume of data, at most.

    Attributes
    ----------
    worst : str
        ``"constant"``, ``"logarithmic"``, ``"sublinear"`` or ``"linear"``.
    expectation : Expectation
        Whose it is, and where it comes from.
    stated : bool
        Whether the file states it: then missing it fails a sweep.
    """

    worst: str = "linear"
    expectation: Expectation = NOBODY
    stated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A subject (``"all"`` or an endpoint) and an assertion about it.

    `implied` names the reason when the budget was added, not written; `expectation`
    says whose it is.
    """

    subject: str
    assertion: Assertion
    implied: str | None = None
    expectation: Expectation = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario, as parsed and validated.

    Attributes
    ----------
    name, title, question : str
        What it is called, and the question that it answers.
    source : str
        File it came from, for messages.
    personas : mapping of str to Persona
        Those of the mix, as the scenario has them.
    faults : tuple of Fault
        In the order of their times.
    stop : StopRule or None
        When load ends early.
    whose : Expectation
        Owner and source of all expectations that say nothing else.
    growth : GrowthExpectation
        How fast times may grow with the volume of data.
    raw : mapping
        The parsed TOML with every ``--set`` applied: what the manifest keeps.
        Secrets stand in it by name only.
    """

    name: str
    title: str
    question: str
    target: Target
    load: Load
    budgets: tuple[Budget, ...]
    source: str
    raw: Mapping[str, object]
    personas: Mapping[str, Persona] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    stop: StopRule | None = None
    whose: Expectation = NOBODY
    growth: GrowthExpectation = GrowthExpectation()

    @property
    def owner(self) -> str | None:
        """Who owns what is expected: the file's owner, or whose all budgets are."""
        owners = {b.expectation.owner for b in self.budgets if not b.implied}
        return self.whose.owner or (owners.pop() if len(owners) == 1 else None)

    @property
    def peak_users(self) -> int:
        """The most virtual users that there will be."""
        if self.load.is_open:
            return self.load.max_users
        return round(max(stage.level for stage in self.load.stages))

    @property
    def load_seed(self) -> int:
        """What the users' and the arrivals' chances are drawn from."""
        return self.target.seed if self.load.seed is None else self.load.seed

    @property
    def tightest_latency_limit_s(self) -> float | None:
        """The smallest latency limit of the budgets in seconds, if there is one."""
        return min(self._latency_limits(), default=None)

    @property
    def largest_latency_limit_s(self) -> float | None:
        """The largest latency limit of the budgets in seconds, if there is one."""
        return max(self._latency_limits(), default=None)

    @property
    def drain_s(self) -> float:
        """How long open requests are followed when users leave or the run ends.

        Twice the largest latency limit, at least 2 s, at most the timeout.

        Returns
        -------
        float
            Seconds.
        """
        return min(max(2 * (self.largest_latency_limit_s or 0.0), 2.0), self.load.timeout_s)

    def _latency_limits(self) -> list[float]:
        return [budget.assertion.limit for budget in self.budgets if budget.assertion.is_latency]
