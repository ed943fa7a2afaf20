"""
``python -m tests.fuzz.fuzz_api``: fuzz the API of the CRM, as its document describes it.

Sends cases that schemathesis makes of the OpenAPI document, valid and not, by accounts of every
role, to a real server; records that are made are opened, changed and removed. Then requests that
no client would send. Prints how many cases of each operation were answered how, and exits 1 when
an answer was a 5xx or not as documented, or the server did not survive.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import requests

from target_app import openapi, seeding
from tests.fuzz import hostile
from tests.fuzz.cases import Plan
from tests.fuzz.sending import Sender, Tally
from tests.support.accounts import Accounts
from tests.support.crm_server import CrmServer
from tests.support.databases import KINDS, Databases

CUSTOMERS = 300
SEED = 1
WORDS = (
    *("--test-mode", "--extension", "loyalty"),
    # seeded: a service time has no upper end, and a case has
    *("--option", "synthetic=true", "--option", "synthetic_seed=1"),
)
"""What the server is started with: everything there is."""
_CLASSES = ("2xx", "3xx", "4xx", "5xx")


@click.command(help=__doc__)
@click.option("--cases", default=2000, show_default=True, help="At least so many a database.")
@click.option("--database", type=click.Choice([*KINDS, "both"]), default="both", show_default=True)
@click.option("--seed", default=SEED, show_default=True, help="What the cases are drawn from.")
def main(cases: int, database: str, seed: int) -> None:
    """Fuzz, and tell."""
    kinds = KINDS if database == "both" else (database,)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        folder = Path(temporary)
        dataset = seeding.seed(folder / "dataset", customers=CUSTOMERS, seed=1)
        databases = Databases(dataset, folder / "databases")
        try:
            for kind in kinds:
                with (
                    databases.fresh(kind) as fresh,
                    CrmServer(fresh, folder / kind, *WORDS) as server,
                ):
                    tally = fuzz(server.start(), dataset, cases, seed)
                click.echo(f"\n{kind}\n{table(tally)}")
                click.echo("\n".join(tally.failures))
                failures += len(tally.failures)
        finally:
            databases.close()
    sys.exit(failures > 0)


def tokens(accounts: Accounts) -> dict[str, str]:
    """
    Choose a token for each kind of sender.

    Parameters
    ----------
    accounts : Accounts
        Of the dataset.
    """
    roles = {account["role"] for account in accounts.all}
    chosen = {role: accounts.of_role(role)[0]["token"] for role in roles}
    return chosen | {
        "unknown": "crm_0",
        "expired": accounts.noted("expired")["token"],
        "read": accounts.noted("read")["token"],
    }


def fuzz(server: CrmServer, dataset: seeding.Found, cases: int, seed: int) -> Tally:
    """
    Send cases of the document, then requests that are none.

    Parameters
    ----------
    server : CrmServer
        Serves a copy of the dataset.
    dataset : Found
        That dataset.
    cases : int
        How many at least.
    seed : int
        What they are drawn from.
    """
    worker = _worker(server)
    document: dict[str, Any] = requests.get(server.url + openapi.PATH, timeout=10).json()
    known = tokens(Accounts.of(dataset.folder))
    plan = Plan(document, dataset.manifest.rows, seed)
    sender = Sender(server.url, known, plan)
    sender.send_all(plan.cases(cases))
    _send_hostile(server, known["admin"], sender.tally)
    if _worker(server) != worker:
        sender.tally.failures.append(f"a worker was lost:\n{server.log.read_text()}")
    return sender.tally


def _worker(server: CrmServer) -> int:
    """Process id of its one worker, which changes when it was lost."""
    return int(server.ask("GET", "/healthz")[1]["pid"])


def _send_hostile(server: CrmServer, token: str, tally: Tally) -> None:
    """Send what no client would."""
    for request in hostile.requests(token):
        try:
            status = hostile.send(server.port, request)
        except TimeoutError as error:
            tally.failures.append(f"{request.name}: {error}")
            continue
        tally.count("(hostile)", status)
        fair = not request.whole if status is None else status in request.allowed
        if not fair:
            tally.failures.append(f"{request.name}: {status}")


def table(tally: Tally) -> str:
    """
    Write how many cases were answered how.

    Parameters
    ----------
    tally : Tally
        What came of them.
    """
    classes = (*_CLASSES, "closed")
    names = sorted({name for name, _ in tally.answered})
    lines = [f"{'operation':24}" + "".join(f"{each:>8}" for each in classes)]
    for name in names:
        counts = "".join(f"{tally.answered[name, each]:>8}" for each in classes)
        lines.append(f"{name:24}{counts}")
    total = "".join(f"{sum(tally.answered[name, each] for name in names):>8}" for each in classes)
    lines.append(f"{'total':24}{total}")
    lines.append(
        f"{tally.cases} answered, {tally.unsendable} that no client can write, "
        f"{len(tally.failures)} failures"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
