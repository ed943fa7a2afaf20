"""A running CRM with everything switched on, and somebody who goes through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from target_app import seeding
from tests.support.accounts import Accounts
from tests.support.crm_server import CrmServer
from tests.support.databases import KINDS, Databases
from tests.target_app.contract.figures import people, somebody_with_everything
from tests.target_app.contract.tour import Tourist

EXTENSIONS = ("loyalty",)


@pytest.fixture(scope="module", params=KINDS)
def tourist(
    request: pytest.FixtureRequest,
    dataset: seeding.Found,
    databases: Databases,
    accounts: Accounts,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tourist]:
    ids = somebody_with_everything(dataset.database)
    words = ("--test-mode", *(word for name in EXTENSIONS for word in ("--extension", name)))
    folder = tmp_path_factory.mktemp("tour")
    with (
        databases.fresh(request.param) as database,
        CrmServer(database, folder, *words) as server,
    ):
        made = Tourist(server.start(), people(accounts, ids), accounts.password, ids)
        yield made
        made.close()
