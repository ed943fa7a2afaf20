"""A worker is killed under load, and then the whole server: what was acknowledged is there."""

from __future__ import annotations

import pytest

from target_app import seeding
from tests.support.accounts import Accounts
from tests.support.durability import Outcome, kill_and_look

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def outcome(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    dataset: seeding.Found,
    accounts: Accounts,
) -> Outcome:
    folder = tmp_path_factory.mktemp(request.param)
    data = dataset.folder
    if request.param == "postgres":
        data = folder / "data"
        asked = dataset.manifest.recipe.asked()  # the same, or the accounts would be others
        seeding.seed(data, **asked, database="postgres")
    database = folder / "crm"
    seeding.reset(data, str(database))
    return kill_and_look(database, folder, accounts.of_role("manager")[0]["token"])


def test_every_acknowledged_write_is_there_exactly_once(outcome: Outcome) -> None:
    assert outcome.acknowledged > 100
    assert outcome.lost == []


def test_a_write_without_an_answer_was_done_once_or_not_at_all(outcome: Outcome) -> None:
    assert outcome.unanswered > 0  # or the kills met nobody, and the test shows nothing
    assert outcome.wrong == []


def test_what_is_there_fits_together(outcome: Outcome) -> None:
    assert outcome.broken == {}


def test_the_worker_came_back_and_nothing_of_the_server_outlived_its_master(
    outcome: Outcome,
) -> None:
    assert outcome.worker_back_s < 10
    assert outcome.gone_s < 10
