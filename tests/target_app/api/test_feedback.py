import pytest

from tests.support.crm import Crm

BODY = {"content": "Fine", "name": "Ada", "email": "a@b.c"}


def unanswered(crm: Crm) -> str:
    key = crm.one("SELECT min(id) FROM feedback WHERE status = 'new' AND assigned_to IS NULL")
    return f"/api/v1/feedback/{key}"


def test_the_first_who_answers_takes_it_on_and_the_second_does_not(crm: Crm) -> None:
    path = unanswered(crm)
    first, second = (crm.accounts.of_role("support")[n] for n in (0, 1))

    answer = crm.of(first["id"]).post(f"{path}/responses", json={"content": "Thank\r\nyou"})
    once = crm.of("admin").get(path).get_json()
    crm.of(second["id"]).post(f"{path}/responses", json={"content": "And I"})
    twice = crm.of("admin").get(path).get_json()

    response = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == path
    assert response["content"] == "Thank\nyou"
    assert (response["user_id"], response["user_name"]) == (first["id"], first["name"])
    assert once["responses"] == [response]
    assert (once["status"], once["assigned_to"], once["version"]) == ("answered", first["id"], 2)
    assert once["first_response_at"] == response["created_at"]
    assert [r["content"] for r in twice["responses"]] == ["Thank\nyou", "And I"]
    kept = ("first_response_at", "assigned_to", "status")
    assert [twice[name] for name in kept] == [once[name] for name in kept]
    assert twice["version"] == 3


def test_an_answer_does_not_open_again_what_is_resolved(crm: Crm) -> None:
    path = unanswered(crm)
    resolved = crm.of("support").patch(path, json={"status": "resolved"}).get_json()

    crm.of("support").post(f"{path}/responses", json={"content": "By the way"})
    after = crm.of("support").get(path).get_json()

    assert resolved["status"] == after["status"] == "resolved"
    assert resolved["resolved_at"] == after["resolved_at"] is not None
    assert resolved["first_response_at"] is None is not after["first_response_at"]


def test_what_is_resolved_leaves_the_queue_and_is_not_resolved_twice(crm: Crm) -> None:
    path = unanswered(crm)
    queue = "/api/v1/feedback?status=new&limit=200"
    key = int(path.rpartition("/")[2])
    before = [item["id"] for item in crm.of("support").get(queue).get_json()["items"]]

    crm.of("support").patch(path, json={"status": "resolved"})
    again = crm.of("support").patch(path, json={"status": "resolved"})

    after = [item["id"] for item in crm.of("support").get(queue).get_json()["items"]]
    assert set(before) - set(after) == {key}
    assert again.status_code == 409
    assert again.get_json()["errors"] == [{"path": "/status", "message": "is resolved already"}]


def test_feedback_is_assigned_to_who_answers_it_and_to_nobody_else(crm: Crm) -> None:
    path = unanswered(crm)
    client = crm.of("manager")

    for role in ("support", "manager", "admin"):
        someone = crm.accounts.of_role(role)[0]["id"]
        assigned = client.patch(path, json={"assigned_to": someone})
        assert assigned.get_json()["assigned_to"] == someone
    for other in (crm.owner, crm.portal, 10**9):
        refused = client.patch(path, json={"assigned_to": other})
        assert refused.status_code == 422
        assert refused.get_json()["errors"] == [
            {"path": "/assigned_to", "message": "is nobody who answers feedback"}
        ]
    assert client.patch(path, json={"assigned_to": None}).get_json()["assigned_to"] is None
    assert client.get(path).get_json()["status"] == "new"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"status": "new"}, "/status"),
        ({"status": None}, "/status"),
        ({"assigned_to": 0}, "/assigned_to"),
        ({"assigned_to": True}, "/assigned_to"),
        ({"content": "other words"}, "/content"),
    ],
)
def test_a_change_that_there_is_not_is_refused(
    shared_crm: Crm, body: dict[str, object], path: str
) -> None:
    answer = shared_crm.of("support").patch(unanswered(shared_crm), json=body)

    assert answer.status_code == 422
    assert [error["path"] for error in answer.get_json()["errors"]] == [path]


def test_a_response_is_bounded(crm: Crm) -> None:
    path = f"{unanswered(crm)}/responses"
    client = crm.of("support")

    assert client.post(path, json={"content": "x" * 2000}).status_code == 201
    for body in ({"content": "x" * 2001}, {"content": " "}, {}, {"content": "x", "user_id": 1}):
        assert client.post(path, json=body).status_code == 422, body
    assert (
        client.post("/api/v1/feedback/999999/responses", json={"content": "x"}).status_code == 404
    )


def test_feedback_on_the_portal_is_that_of_its_customer(crm: Crm) -> None:
    portal = crm.of(crm.portal)
    other = crm.one("SELECT min(id) FROM customers WHERE id <> :c", c=crm.customer)

    given = portal.post("/api/v1/feedback", json=BODY)
    refused = portal.post("/api/v1/feedback", json=BODY | {"customer_id": other})

    assert given.get_json()["customer_id"] == crm.customer
    assert portal.get(given.headers["Location"]).get_json() == given.get_json()
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["path"] == "/customer_id"


def test_a_rep_takes_feedback_of_the_own_customers_and_can_read_it(crm: Crm) -> None:
    rep = crm.of(crm.owner)

    taken = rep.post("/api/v1/feedback", json=BODY | {"customer_id": crm.customer})
    of_nobody = rep.post("/api/v1/feedback", json=BODY)
    of_others = crm.of(crm.other_rep).post(
        "/api/v1/feedback", json=BODY | {"customer_id": crm.customer}
    )

    assert rep.get(taken.headers["Location"]).get_json() == taken.get_json()
    assert (of_nobody.status_code, of_others.status_code) == (422, 422)
