"""The personas of the reference CRM as Locust users."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

from loadtests.generator.accounts import Accounts, read_accounts
from loadtests.generator.personas.base import PersonaUser
from loadtests.generator.personas.portal_customer import PortalCustomer
from loadtests.generator.personas.records import Products
from loadtests.generator.personas.sales_rep import SalesRep
from scenarios.errors import UsageError
from scenarios.model import Scenario

_CLASSES: dict[str, type[PersonaUser]] = {
    "sales_rep": SalesRep,
    "portal_customer": PortalCustomer,
}


def persona_users(
    scenario: Scenario, *, process: int, run: str, accounts: Path, rows: Mapping[str, int]
) -> list[type[PersonaUser]]:
    """Make the engine's user classes for a scenario's mix.

    Parameters
    ----------
    scenario : Scenario
        Its mix, think scale, seed and timeout are taken.
    process : int
        Number of this generator process: seeds differ by it.
    run : str
        Short id of the run: what users create is unique to it.
    accounts : Path
        File of those who may sign in.
    rows : mapping of str to int
        How many rows the CRM's tables have.

    Returns
    -------
    list of type
        One class a persona of the mix, with its weight.
    """
    people, products = read_accounts(accounts), Products(rows["products"])
    users = [
        type(
            _CLASSES[name].__name__,
            (_CLASSES[name],),
            {
                "abstract": False,
                "weight": weight,
                "persona": scenario.personas[name],
                "persona_name": name,
                "think_scale": scenario.load.think_scale,
                "accounts": people,
                "products": products,
                "run_id": run,
                "seed": f"{scenario.target.seed}-{process}-{name}",
                "insecure": False,  # TLS is verified
                # a backstop only: the recorder ends requests at the scenario's timeout
                "network_timeout": scenario.load.timeout_s + 5,
                "connection_timeout": scenario.load.timeout_s + 5,
            },
        )
        for name, weight in scenario.load.mix.items()
    ]
    _check_enough(people, users, scenario, accounts)
    return users


def _check_enough(
    people: Accounts, users: list[type[PersonaUser]], scenario: Scenario, path: Path
) -> None:
    """Refuse more virtual users than there are accounts for them.

    Raises
    ------
    UsageError
        With the numbers.
    """
    most = most_at_once(users, [round(stage.level) for stage in scenario.load.stages])
    short = [
        f"{most[user]} users as {user.persona_name}, and {people.count(user.persona.role)} "
        f"accounts of the role {user.persona.role}"
        for user in users
        if most[user] > people.count(user.persona.role)
    ]
    if short:
        raise UsageError(
            f"{path}: found {'; '.join(short)}; allowed: an account for each user. "
            "Nothing was sent",
            hint="make a dataset with more: trueload app seed --accounts N (at most 5,000)",
        )


def most_at_once(users: list[type[PersonaUser]], levels: list[int]) -> dict[type[PersonaUser], int]:
    """Find out how many of each class the engine will run at once.

    Parameters
    ----------
    users : list of type
        With their weights.
    levels : list of int
        Users asked for, one after the other.

    Returns
    -------
    dict of type to int
        As the engine's own dispatcher, asked for the same, shares them out.
    """
    dispatcher = UsersDispatcher([WorkerNode("one")], list(users))
    most = dict.fromkeys(users, 0)
    for level in levels:
        dispatcher.new_dispatch(level, spawn_rate=float(max(levels)))
        for shared in dispatcher:
            for user in users:
                most[user] = max(most[user], shared["one"][user.__name__])
    return most
