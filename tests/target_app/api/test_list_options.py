"""The published defects of lists: what they cost shows, and what they answer stays right."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from target_app.options import Options
from tests.support.crm import Crm

LISTS = {
    "customers": "owner_name",
    "orders": "customer_name",
    "customers/{}/orders": "customer_name",
    "customers/{}/timeline": "user_name",
}


def queries(client: FlaskClient, path: str) -> int:
    client.get(path)  # from now on the account is known
    timing = client.get(path).headers["Server-Timing"]
    return int(re.findall(r'queries;desc="(\d+)"', timing)[0])


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_once_by_default_and_once_a_row_with_n_plus_one(
    make_crm: Callable[..., Crm], path: str
) -> None:
    good, bad = make_crm(), make_crm(options=Options(n_plus_one=True))
    path = f"/api/v1/{path.format(good.customer)}?limit=5"
    answer = good.of("admin").get(path).get_json()
    fixed = 2 if "customers/" in path else 1  # whether the customer may be seen

    assert queries(good.of("admin"), path) == fixed
    named = sum(item.get("owner_id", 1) is not None for item in answer["items"])
    assert named
    assert queries(bad.of("admin"), path) == fixed + named
    assert bad.of("admin").get(path).get_json() == answer


@pytest.mark.costly
def test_lists_show_the_names_of_whom_they_belong_to(make_crm: Callable[..., Crm]) -> None:
    for options in (Options(), Options(n_plus_one=True)):
        crm = make_crm(options=options)
        names = dict(crm.rows("SELECT id, name FROM users"))
        body = {"name": "Nobody's", "email": f"{options.n_plus_one}@b.c"}
        assert crm.of("admin").post("/api/v1/customers", json=body).status_code == 201
        items = crm.of("admin").get("/api/v1/customers?limit=200").get_json()["items"]
        assert items[0]["owner_name"] is None is not items[-1]["owner_name"]
        assert all(item["owner_name"] == names.get(item["owner_id"]) for item in items)


def test_statements_per_request_are_few(crm: Crm) -> None:
    expected = {
        "customers?limit=200": 1,
        "customers/3": 1,
        "customers/3/orders": 2,
        "customers/3/timeline": 2,
        "orders?limit=200": 1,
        "orders?status=paid": 1,
        "orders/9": 2,
        "feedback?status=new": 1,
        "feedback/9": 2,
        "products/3": 1,
        "search?q=a": 1,
        "suggest?q=a": 1,
    }

    found = {path: queries(crm.of("admin"), f"/api/v1/{path}") for path in expected}

    assert found == expected


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback", "products"])
def test_an_unbounded_list_answers_every_row_whatever_the_limit(
    make_crm: Callable[..., Crm], resource: str
) -> None:
    crm = make_crm(options=Options(list_mode="unbounded"))

    answer = crm.of("admin").get(f"/api/v1/{resource}?limit=1")

    assert len(answer.get_json()["items"]) == crm.one(f"SELECT count(*) FROM {resource}")
    assert answer.get_json()["next"] is None
    assert "Link" not in answer.headers


@pytest.mark.parametrize("resource", ["customers", "orders", "feedback", "products"])
def test_pages_by_offset_walk_the_same_rows_in_the_same_order(
    make_crm: Callable[..., Crm], resource: str
) -> None:
    good, bad = make_crm().of("admin"), make_crm(options=Options(paging="offset")).of("admin")

    assert walk(bad, resource) == walk(good, resource)


def walk(client: FlaskClient, resource: str) -> list[int]:
    ids: list[int] = []
    path = f"/api/v1/{resource}?limit=70"
    while path:
        page = client.get(path).get_json()
        ids += [item["id"] for item in page["items"]]
        path = page["next"] and f"/api/v1/{resource}?limit=70&after={page['next']}"
    return ids


def test_a_page_by_offset_is_moved_by_rows_that_are_added_and_one_by_key_is_not(
    make_crm: Callable[..., Crm],
) -> None:
    body = {"content": "Fine", "name": "Ada", "email": "a@b.c"}
    repeated = {}
    for paging in ("keyset", "offset"):
        client = make_crm(options=Options(paging=paging)).of("admin")
        first = client.get("/api/v1/feedback?limit=3").get_json()
        client.post("/api/v1/feedback", json=body)
        second = client.get(f"/api/v1/feedback?limit=3&after={first['next']}").get_json()
        repeated[paging] = {i["id"] for i in first["items"]} & {i["id"] for i in second["items"]}

    assert repeated["keyset"] == set()
    assert len(repeated["offset"]) == 1


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WyJ4Il0", "Wy0xXQ", "W3RydWVd", "WzFlNDAwXQ", "WzEsMl0",
               "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTld"],
)  # fmt: skip
def test_an_offset_that_is_none_of_ours_is_refused(
    make_crm: Callable[..., Crm], cursor: str
) -> None:
    client = make_crm(options=Options(paging="offset")).of("admin")

    assert client.get(f"/api/v1/orders?after={cursor}").status_code == 422
