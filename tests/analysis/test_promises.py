from __future__ import annotations

import re
from pathlib import Path

import pytest

import scenarios
from analysis import promises
from analysis.promises import Promise, promise
from tests.target_app.contract.visits import OPERATIONS, PAGES, SIGNING, Visit

WRITES = [visit for visit in (*OPERATIONS, *PAGES, *SIGNING) if visit.method != "GET"]
"""Every write that the CRM serves; a test of the tour holds the table against its addresses, and
another one proves that each of them but the three below leaves one row."""

STORE_NOTHING = {"POST /api/v1/_audit", "POST /login", "POST /logout"}


def named(visit: Visit) -> str:
    return f"{visit.method} {re.sub(r'<record:[^>]+>', '{id}', visit.rule)}"


@pytest.mark.parametrize("visit", WRITES, ids=named)
def test_every_write_of_the_crm_has_a_promise(visit: Visit) -> None:
    name = named(visit)
    is_form_of_somebody = "/api/" not in name and visit.roles is not None
    checked = Promise.NOTHING if name in STORE_NOTHING else Promise.ROW

    assert promise(name, checked=True) is checked
    assert promise(name, checked=False) is (Promise.UNKNOWN if is_form_of_somebody else checked)
    with_ids = name.replace("{id}", "4711")
    assert promise(with_ids, checked=True) is checked


def test_no_promise_is_kept_for_an_address_that_is_gone() -> None:
    told = promises.WITHOUT_ROW | promises.OPEN_FORMS | promises.FORMS

    assert told <= {named(visit) for visit in WRITES}


def test_what_the_personas_write_is_known_to_leave_something() -> None:
    journeys = Path(scenarios.__file__).parent.glob("journeys/*.toml")
    texts = "".join(path.read_text(encoding="utf-8") for path in journeys)
    names = set(re.findall(r'"((?:POST|PUT|PATCH|DELETE) [^"]+)"', texts))

    assert len(names) > 5
    for name in names:
        assert promise(name, checked=True) is not Promise.UNKNOWN, name


@pytest.mark.parametrize(
    "name", ["POST checkout", "POST (other)", "POST elsewhere.test/api/v1/orders", "(not sent)"]
)
def test_what_a_locustfile_has_named_itself_promises_nothing_known(name: str) -> None:
    assert promise(name, checked=True) is Promise.UNKNOWN


def test_what_an_extension_adds_to_the_api_keeps_the_contract() -> None:
    assert promise("PUT /api/v1/customers/7/notes", checked=False) is Promise.ROW
