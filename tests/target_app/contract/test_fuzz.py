"""A few hundred cases of the fuzz run (``make fuzz``), on each database."""

import warnings
from pathlib import Path

import pytest

from target_app import seeding
from tests.support.databases import KINDS, Databases
from tests.support.serving import serving

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

    with databases.fresh(kind) as database, serving(database, tmp_path, *WORDS) as server:
        tally = fuzz(server, dataset, CASES, SEED)

    assert tally.failures == []
    assert tally.cases >= CASES
    # It reached what it was meant to: records were made, refused, changed, and lists turned.
    assert {200, 201, 204, 400, 401, 403, 404, 409, 413, 415, 422} <= tally.statuses.keys()
