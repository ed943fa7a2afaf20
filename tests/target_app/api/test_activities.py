import pytest

from tests.support.crm import Crm

CALL = {"kind": "call", "subject": "Asked for a quote"}


def test_a_timeline_is_that_of_its_customer_newest_first_with_who_did_it(shared_crm: Crm) -> None:
    customer = shared_crm.one(
        "SELECT customer_id FROM activities GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    expected = shared_crm.rows(
        "SELECT a.id, u.name FROM activities a JOIN users u ON u.id = a.user_id "
        "WHERE a.customer_id = :c ORDER BY a.occurred_at DESC, a.id DESC",
        c=customer,
    )

    found: list[tuple[int, str]] = []
    path = f"/api/v1/customers/{customer}/timeline?limit=3"
    while path:
        page = shared_crm.of("support").get(path).get_json()
        found += [(item["id"], item["user_name"]) for item in page["items"]]
        assert {item["customer_id"] for item in page["items"]} == {customer}
        path = (
            page["next"] and f"/api/v1/customers/{customer}/timeline?limit=3&after={page['next']}"
        )

    assert found == expected
    assert len(found) > 3


def test_a_logged_activity_is_by_who_logs_it_and_on_top_of_the_timeline(crm: Crm) -> None:
    path = f"/api/v1/customers/{crm.customer}"
    body = CALL | {"body": "Two\r\nlines"}

    logged = crm.of(crm.owner).post(f"{path}/activities", json=body)

    record = logged.get_json()
    assert logged.status_code == 201
    assert record["body"] == "Two\nlines"
    assert (record["user_id"], record["customer_id"]) == (crm.owner, crm.customer)
    assert logged.headers["Location"] == f"{path}/timeline"
    top = crm.of(crm.owner).get(f"{path}/timeline").get_json()["items"][0]
    assert {name: top[name] for name in record} == record


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2025-02-28T23:59:59Z", "2025-02-28T23:59:59.000000Z"),
        ("2024-02-29T00:00:00.5Z", "2024-02-29T00:00:00.500000Z"),
        ("2099-12-31T09:30:00.000001Z", "2099-12-31T09:30:00.000001Z"),
    ],
)
def test_an_activity_may_have_occurred_at_any_moment(
    shared_crm: Crm, given: str, kept: str
) -> None:
    body = CALL | {"occurred_at": given}

    answer = shared_crm.of("admin").post(
        f"/api/v1/customers/{shared_crm.customer}/activities", json=body
    )

    assert answer.get_json()["occurred_at"] == kept


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"occurred_at": wrong}, "/occurred_at")
        for wrong in (
            "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01",
            "2025-01-01T00:00:00", "2025-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z",
            "2100-01-01T00:00:00Z", "2025-01-01T00:00:00.0000001Z", "٢٠٢٥-01-01T00:00:00Z", 7, "",
        )
    ]
    + [
        ({"kind": "visit"}, "/kind"),
        ({"subject": "s" * 201}, "/subject"),
        ({"subject": "two\nlines"}, "/subject"),
        ({"body": "b" * 2001}, "/body"),
        ({"user_id": 1}, "/user_id"),
    ],
)  # fmt: skip
def test_what_an_activity_may_not_hold_is_named(
    shared_crm: Crm, change: dict[str, object], path: str
) -> None:
    answer = shared_crm.of("admin").post(
        f"/api/v1/customers/{shared_crm.customer}/activities", json=CALL | change
    )

    assert answer.status_code == 422
    assert [error["path"] for error in answer.get_json()["errors"]] == [path]


def test_nothing_is_logged_with_a_customer_of_somebody_else(crm: Crm) -> None:
    path = f"/api/v1/customers/{crm.customer}/activities"
    before = crm.one("SELECT count(*) FROM activities")

    assert crm.of(crm.other_rep).post(path, json=CALL).status_code == 404
    assert crm.of(crm.portal).post(path, json=CALL).status_code == 403
    assert crm.one("SELECT count(*) FROM activities") == before
