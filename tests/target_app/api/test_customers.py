import pytest

from tests.support.crm import Crm

ADA = {"name": "Ada", "email": "ada@example.com"}


def test_a_change_touches_what_it_names_and_nothing_else(crm: Crm) -> None:
    path = f"/api/v1/customers/{crm.customer}"
    before = crm.of("admin").get(path).get_json()

    after = crm.of("admin").patch(path, json={"city": "Ulm", "phone": None}).get_json()

    changed = {"city": "Ulm", "phone": None, "version": 2, "updated_at": after["updated_at"]}
    assert after == before | changed
    assert after["updated_at"] > before["updated_at"]
    assert crm.rows("SELECT action FROM changes") == [("changed city, phone",)]


def test_a_customer_is_found_under_a_new_name_and_no_longer_under_the_old(crm: Crm) -> None:
    path = crm.of("admin").post("/api/v1/customers", json=ADA | {"company": "Qqq"}).location
    crm.of("admin").patch(path, json={"name": "Grace", "company": None})

    def found(text: str) -> list[str]:
        items = crm.of("admin").get(f"/api/v1/search?q={text}").get_json()["items"]
        return [item["name"] for item in items if item["email"] == "ada@example.com"]

    assert (found("ada"), found("qqq"), found("grac")) == ([], [], ["Grace"])


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": None}, "/name"),
        ({"status": None}, "/status"),
        ({"email": "x"}, "/email"),
        ({"owner_id": 10**9}, "/owner_id"),
        ({"id": 7}, "/id"),
        ({"version": 7}, "/version"),
    ],
)
def test_a_change_that_there_is_not_is_refused(
    shared_crm: Crm, body: dict[str, object], path: str
) -> None:
    answer = shared_crm.of("admin").patch(f"/api/v1/customers/{shared_crm.customer}", json=body)

    assert answer.status_code == 422
    assert [error["path"] for error in answer.get_json()["errors"]] == [path]


def test_a_change_to_the_address_of_another_is_a_conflict_and_undone(crm: Crm) -> None:
    crm.of("admin").post("/api/v1/customers", json=ADA)
    path = f"/api/v1/customers/{crm.customer}"
    before = crm.of("admin").get(path).get_json()

    answer = crm.of("admin").patch(path, json={"email": "ADA@example.com", "city": "Ulm"})

    assert answer.status_code == 409
    assert crm.of("admin").get(path).get_json() == before
    assert crm.rows("SELECT id FROM changes") == []


def test_what_a_rep_creates_is_the_reps_own_and_cannot_be_given_away(crm: Crm) -> None:
    rep = crm.of(crm.owner)

    created = rep.post("/api/v1/customers", json=ADA)
    given = rep.patch(created.location, json={"owner_id": crm.other_rep})
    for_others = rep.post("/api/v1/customers", json=ADA | {"owner_id": crm.other_rep})

    assert created.get_json()["owner_id"] == crm.owner
    assert (given.status_code, for_others.status_code) == (422, 422)
    assert rep.get(created.location).get_json() == created.get_json()
    assert crm.of(crm.other_rep).patch(created.location, json={}).status_code == 404


def test_a_customer_that_changes_hands_changes_who_sees_it_and_its_orders(crm: Crm) -> None:
    old, new = crm.of(crm.owner), crm.of(crm.other_rep)
    paths = [f"/api/v1/customers/{crm.customer}", f"/api/v1/orders/{crm.order}"]
    assert [old.get(path).status_code for path in paths] == [200, 200]

    crm.of("manager").patch(paths[0], json={"owner_id": crm.other_rep})

    assert [old.get(path).status_code for path in paths] == [404, 404]
    assert [new.get(path).status_code for path in paths] == [200, 200]


def test_an_owner_is_staff(shared_crm: Crm) -> None:
    refused = shared_crm.of("admin").post(
        "/api/v1/customers", json=ADA | {"owner_id": shared_crm.portal}
    )

    assert refused.get_json()["errors"] == [
        {"path": "/owner_id", "message": "is no member of staff that exists"}
    ]


def test_a_customer_with_orders_is_kept(shared_crm: Crm) -> None:
    path = f"/api/v1/customers/{shared_crm.customer}"

    answer = shared_crm.of("manager").delete(path)

    assert answer.status_code == 409
    assert "has orders" in answer.get_json()["errors"][0]["message"]
    assert shared_crm.of("manager").get(path).status_code == 200


def test_a_customer_that_is_removed_takes_its_timeline_and_leaves_its_feedback(crm: Crm) -> None:
    customer = crm.of("admin").post("/api/v1/customers", json=ADA).get_json()["id"]
    path = f"/api/v1/customers/{customer}"
    crm.of("admin").post(f"{path}/activities", json={"kind": "note", "subject": "Hello"})
    body = {"content": "Fine", "name": "Ada", "email": "a@b.c", "customer_id": customer}
    feedback = crm.of("admin").post("/api/v1/feedback", json=body).location

    removed = crm.of("manager").delete(path)

    assert (removed.status_code, removed.data) == (204, b"")
    assert crm.of("manager").get(path).status_code == 404
    assert crm.of("manager").delete(path).status_code == 404
    assert crm.one("SELECT count(*) FROM activities WHERE customer_id = :c", c=customer) == 0
    left = crm.of("manager").get(feedback, headers={"If-None-Match": '"1"'})
    assert (left.status_code, left.get_json()["customer_id"]) == (200, None)


@pytest.mark.parametrize("name", ["status", "segment"])
def test_the_list_of_customers_is_of_one_kind_where_one_is_asked_for(
    shared_crm: Crm, name: str
) -> None:
    client = shared_crm.of("manager")
    for (word,) in shared_crm.rows(f"SELECT DISTINCT {name} FROM customers"):
        items = client.get(f"/api/v1/customers?limit=200&{name}={word}").get_json()["items"]
        count = shared_crm.one(f"SELECT count(*) FROM customers WHERE {name} = :w", w=word)
        assert len(items) == min(count, 200)
        assert {item[name] for item in items} == {word}


def test_the_portfolio_of_a_rep_is_for_the_office_and_the_rep(shared_crm: Crm) -> None:
    path = f"/api/v1/customers?owner_id={shared_crm.owner}"
    whole = shared_crm.of("manager").get(path).get_json()["items"]

    assert {item["owner_id"] for item in whole} == {shared_crm.owner}
    assert shared_crm.of(shared_crm.owner).get(path).get_json()["items"] == whole
    assert shared_crm.of(shared_crm.other_rep).get(path).get_json() == {"items": [], "next": None}
