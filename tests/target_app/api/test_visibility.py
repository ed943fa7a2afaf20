"""Who sees what: an explicit table, not read off the descriptions that it is to hold."""

import pytest

from tests.support.crm import Crm

STAFF = ["sales", "support", "marketing", "manager", "admin"]
REPORTS = ["marketing", "manager", "admin"]
ALL = [*STAFF, "portal"]


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("customers", STAFF),
        ("orders", STAFF),
        ("search?q=a", STAFF),
        ("suggest?q=a", STAFF),
        ("products", ALL),
        ("products/1", ALL),
        ("feedback", ALL),
        ("reports/sales", REPORTS),
        ("reports/rfm", REPORTS),
        ("reports/satisfaction", REPORTS),
        ("reports/retention", REPORTS),
    ],
)
def test_what_is_open_to_a_role_is_open_to_no_other(
    shared_crm: Crm, path: str, roles: list[str]
) -> None:
    answers = {role: shared_crm.of(role).get(f"/api/v1/{path}").status_code for role in ALL}

    assert answers == {role: 200 if role in roles else 403 for role in ALL}
    assert shared_crm.app.test_client().get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize(
    ("path", "portal"),
    [
        ("customers/{customer}", True),
        ("customers/{customer}/timeline", False),
        ("customers/{customer}/orders", True),
        ("orders/{order}", True),
        ("feedback/{feedback}", True),
    ],
)
def test_what_belongs_to_a_customer_is_seen_by_its_rep_its_portal_and_the_office(
    shared_crm: Crm, path: str, portal: bool
) -> None:
    filled = path.format(
        customer=shared_crm.customer, order=shared_crm.order, feedback=shared_crm.feedback
    )
    path = f"/api/v1/{filled}"
    seeing: list[str | int] = ["support", "marketing", "manager", "admin", shared_crm.owner]

    assert [shared_crm.of(who).get(path).status_code for who in seeing] == [200] * 5
    assert shared_crm.of(shared_crm.other_rep).get(path).status_code == 404
    assert shared_crm.of(shared_crm.portal).get(path).status_code == (200 if portal else 403)
    assert shared_crm.of(shared_crm.other_portal).get(path).status_code == (404 if portal else 403)


@pytest.mark.parametrize(
    "path", ["customers/{}", "customers/{}/timeline", "customers/{}/orders", "orders/{}",
             "feedback/{}", "products/{}"],
)  # fmt: skip
def test_what_is_not_there_and_what_is_not_seen_look_the_same(shared_crm: Crm, path: str) -> None:
    ids = {
        "customers": shared_crm.customer,
        "orders": shared_crm.order,
        "feedback": shared_crm.feedback,
    }
    hidden = ids.get(path.partition("/")[0])
    missing = shared_crm.of("admin").get(f"/api/v1/{path.format(10**9)}")

    assert missing.status_code == 404
    assert "1000000000 does not exist" in missing.get_json()["detail"]
    if hidden is not None:
        refused = shared_crm.of(shared_crm.other_rep).get(f"/api/v1/{path.format(hidden)}")
        seen, unseen = (a.get_json()["detail"] for a in (missing, refused))
        assert unseen == seen.replace(str(10**9), str(hidden))


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback"])
def test_the_lists_of_a_rep_hold_the_whole_portfolio_and_nothing_else(
    shared_crm: Crm, resource: str
) -> None:
    owned = "SELECT id FROM customers WHERE owner_id = :o"
    where = f"id IN ({owned})" if resource == "customers" else f"customer_id IN ({owned})"
    expected = shared_crm.rows(
        f"SELECT id FROM {resource} WHERE {where} ORDER BY id DESC", o=shared_crm.owner
    )

    page = shared_crm.of(shared_crm.owner).get(f"/api/v1/{resource}?limit=200").get_json()

    assert expected
    assert sorted((item["id"] for item in page["items"]), reverse=True) == [k for (k,) in expected]
    assert page["next"] is None


def test_a_rep_turns_the_pages_of_the_portfolio(shared_crm: Crm) -> None:
    for resource in ("orders", "feedback"):
        client = shared_crm.of(shared_crm.owner)
        whole = [i["id"] for i in client.get(f"/api/v1/{resource}").get_json()["items"]]
        ids, path = [], f"/api/v1/{resource}?limit=1"
        while path:
            page = client.get(path).get_json()
            ids += [item["id"] for item in page["items"]]
            path = page["next"] and f"/api/v1/{resource}?limit=1&after={page['next']}"
        assert ids == whole


@pytest.mark.parametrize(("resource", "status"), [("orders", "shipped"), ("feedback", "resolved")])
@pytest.mark.parametrize("who", ["manager", "owner"])
def test_a_list_of_one_status_holds_all_of_that_status_and_nothing_else(
    shared_crm: Crm, resource: str, status: str, who: str
) -> None:
    client = shared_crm.of(shared_crm.owner if who == "owner" else who)
    everything = client.get(f"/api/v1/{resource}?limit=200").get_json()["items"]

    listed = client.get(f"/api/v1/{resource}?limit=200&status={status}").get_json()["items"]

    expected = [item for item in everything if item["status"] == status]
    assert listed[: len(expected)] == expected
    assert {item["status"] for item in listed} <= {status}
    assert shared_crm.of("manager").get(f"/api/v1/{resource}?status=gone").status_code == 422


def test_the_portal_lists_its_own_feedback_and_that_of_nobody_else(shared_crm: Crm) -> None:
    expected = shared_crm.rows(
        "SELECT id FROM feedback WHERE customer_id = :c", c=shared_crm.customer
    )

    items = shared_crm.of(shared_crm.portal).get("/api/v1/feedback").get_json()["items"]

    assert {item["id"] for item in items} == {key for (key,) in expected}
    assert {item["customer_id"] for item in items} == {shared_crm.customer}


def test_feedback_of_nobody_is_for_the_office_alone(shared_crm: Crm) -> None:
    key = shared_crm.one("SELECT max(id) FROM feedback WHERE customer_id IS NULL")

    seen = {who: shared_crm.of(who).get(f"/api/v1/feedback/{key}").status_code for who in ALL}

    office = {"support", "marketing", "manager", "admin"}
    assert seen == {who: 200 if who in office else 404 for who in ALL}


@pytest.mark.parametrize(
    ("method", "path", "body", "roles"),
    [
        ("POST", "/customers", {"name": "A", "email": "a@b.c"}, ["sales", "manager", "admin"]),
        ("POST", "/customers/{}/activities", {"kind": "note", "subject": "A"}, STAFF),
        ("PATCH", "/orders/1", {}, ["sales", "support", "manager", "admin"]),
        ("PATCH", "/feedback/1", {}, ["support", "manager", "admin"]),
        ("POST", "/feedback/1/responses", {"content": "A"}, ["support", "manager", "admin"]),
        ("DELETE", "/customers/1", None, ["manager", "admin"]),
    ],
)
def test_a_write_is_refused_to_the_roles_that_may_not(
    crm: Crm, method: str, path: str, body: object, roles: list[str]
) -> None:
    filled = f"/api/v1{path.format(crm.customer)}"
    answers = {r: crm.of(r).open(filled, method=method, json=body).status_code for r in ALL}

    assert {role for role, status in answers.items() if status != 403} == set(roles)
    assert {answers[role] for role in ALL if role not in roles} <= {403}
