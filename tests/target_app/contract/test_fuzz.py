"""A few hundred cases of the fuzz run (``make fuzz``), on each database."""

import warnings
from pathlib import Path

import pytest

from target_app import seeding
from tests.support.crm_server import CrmServer
from tests.support.databases import KINDS, Databases

pytestmark = pytest.mark.slow

CASES = 150
SEED = 1


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_sent_breaks_the_api_or_its_document(
    kind: str, dataset: seeding.Found, databases: Databases, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of schemathesis' own libraries, while they are imported
        from tests.fuzz.fuzz_api import WORDS, fuzz

    with databases.fresh(kind) as database, CrmServer(database, tmp_path, *WORDS) as server:
        tally = fuzz(server.start(), dataset, CASES, SEED)

    assert tally.failures == []
    assert tally.cases >= CASES
    # What the plan has sent whatever the cases are: records made, and three refusals.
    assert {201, 401, 403, 413} <= tally.statuses.keys()
