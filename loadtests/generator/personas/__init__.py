"""The personas of the reference CRM as Locust users."""

from __future__ import annotations

from typing import Any

from loadtests.generator.personas.base import PersonaUser
from loadtests.generator.personas.portal_customer import PortalCustomer
from loadtests.generator.personas.records import Records
from loadtests.generator.personas.sales_rep import SalesRep
from scenarios.model import Scenario
from scenarios.personas import PERSONAS

_CLASSES: dict[str, type[PersonaUser]] = {
    "sales_rep": SalesRep,
    "portal_customer": PortalCustomer,
}


def persona_users(
    scenario: Scenario, *, process: int, run: str, dataset: dict[str, Any]
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
    dataset : dict
        Numbers of customers and products.

    Returns
    -------
    list of type
        One class a persona of the mix, with its weight.
    """
    records = Records(customers=dataset["customers"], products=dataset["products"])
    return [
        type(
            _CLASSES[name].__name__,
            (_CLASSES[name],),
            {
                "abstract": False,
                "weight": weight,
                "persona": PERSONAS[name],
                "persona_name": name,
                "think_scale": scenario.load.think_scale,
                "records": records,
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
