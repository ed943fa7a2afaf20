"""The personas of the reference CRM as Locust users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

from loadtests.generator.accounts import Accounts, read_accounts
from loadtests.generator.personas.base import PersonaUser
from loadtests.generator.personas.manager import Manager
from loadtests.generator.personas.marketing import Marketing
from loadtests.generator.personas.portal_customer import PortalCustomer
from loadtests.generator.personas.records import Products
from loadtests.generator.personas.sales_rep import SalesRep
from loadtests.generator.personas.support_agent import SupportAgent
from scenarios.arrivals import click_shares, pool_sizes
from scenarios.errors import UsageError
from scenarios.model import Scenario

CLASSES: Mapping[str, type[PersonaUser]] = {
    "sales_rep": SalesRep,
    "support_agent": SupportAgent,
    "manager": Manager,
    "marketing": Marketing,
    "portal_customer": PortalCustomer,
}


def persona_users(
    scenario: Scenario,
    *,
    process: int,
    run: str,
    accounts: Path,
    rows: Mapping[str, int],
    processes: int = 1,
) -> list[type[PersonaUser]]:
    """Make the engine's user classes for a scenario's mix.

    Parameters
    ----------
    scenario : Scenario
        Its mix, personas, think scale and seed are taken.
    process : int
        Number of this generator process: seeds and accounts differ by it.
    run : str
        Short id of the run: what users create is unique to it.
    accounts : Path
        File of those who may sign in.
    rows : mapping of str to int
        How many rows the CRM's tables have.
    processes : int
        How many generator processes there are.

    Returns
    -------
    list of type
        One class a persona of the mix, with its weight, or its number of users in the open
        model.
    """
    people = read_accounts(accounts, (process, processes))
    products = Products(rows["products"])
    pools = _pools(scenario, process, processes)
    users = [
        type(
            CLASSES[name].__name__,
            (CLASSES[name],),
            {
                "abstract": False,
                "weight": weight,
                "fixed_count": pools.get(name, 0),
                "persona": scenario.personas[name],
                "persona_name": name,
                "think_scale": scenario.load.think_scale,
                "accounts": people,
                "products": products,
                "run_id": run,
                "seed": f"{scenario.load_seed}-{process}-{name}",
            },
        )
        for name, weight in scenario.load.mix.items()
    ]
    _check_enough(people, users, scenario, accounts, processes)
    return users


def _pools(scenario: Scenario, process: int, processes: int) -> dict[str | None, int]:
    """Users of each persona in the open model; in the closed one the weights say it."""
    if not scenario.load.is_open:
        return {}
    shares = click_shares(scenario)
    return pool_sizes(scenario.load, shares, process=process, processes=processes)


def _check_enough(
    people: Accounts,
    users: list[type[PersonaUser]],
    scenario: Scenario,
    path: Path,
    processes: int,
) -> None:
    """Refuse more virtual users than there are accounts for them.

    Raises
    ------
    UsageError
        With the numbers.
    """
    if scenario.load.is_open:
        most = {user: user.fixed_count for user in users}
    else:
        levels = [round(stage.level) for stage in scenario.load.stages]
        most = most_at_once(users, levels, processes)
    where = " of each generator process" if processes > 1 else ""
    short = [
        f"{most[user]} users{where} as {user.persona_name}, and "
        f"{people.count(user.persona.role)} accounts of the role {user.persona.role}"
        for user in users
        if most[user] > people.count(user.persona.role)
    ]
    if short:
        raise UsageError(
            f"{path}: found {'; '.join(short)}; allowed: an account for each user. "
            "Nothing was sent",
            hint="make a dataset with more: trueload app seed --accounts N (at most 5,000)",
        )


def most_at_once(
    users: Sequence[type[PersonaUser]], levels: list[int], processes: int = 1
) -> dict[type[PersonaUser], int]:
    """Find out how many of each class the engine will run at once in a process.

    Parameters
    ----------
    users : sequence of type
        With their weights.
    levels : list of int
        Users asked for, one after the other.
    processes : int
        Generator processes that they are shared out among.

    Returns
    -------
    dict of type to int
        As the engine's own dispatcher, asked for the same, shares them out: the most that
        any of the processes runs.
    """
    nodes = [WorkerNode(str(number)) for number in range(processes)]
    dispatcher = UsersDispatcher(nodes, list(users))
    most = dict.fromkeys(users, 0)
    for level in levels:
        dispatcher.new_dispatch(level, spawn_rate=float(max(levels)))
        for shared in dispatcher:
            for user in users:
                here = max(node[user.__name__] for node in shared.values())
                most[user] = max(most[user], here)
    return most
