import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates and NUL included
ANY_NUMBER = st.integers() | st.integers(-3, 60) | st.floats(allow_nan=False, allow_infinity=False)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | ANY_NUMBER | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
ITEM = st.fixed_dictionaries({}, optional={"product_id": ANY_JSON, "qty": ANY_JSON}) | ANY_JSON
NAMES = {
    "customers": ["name", "email", "phone", "country", "status", "owner_id"],
    "orders": ["customer_id", "currency"],
    "feedback": ["content", "name", "email", "score", "nps", "customer_id"],
}


def bodies(resource: str) -> st.SearchStrategy[Any]:
    """Any JSON, and objects that get further because their names are right."""
    likely: dict[str, st.SearchStrategy[Any]] = {
        name: ANY_JSON | st.sampled_from(["a@b.c", "Ada", 1]) for name in NAMES[resource]
    }
    if resource == "orders":
        likely["items"] = st.lists(ITEM, max_size=3) | ANY_JSON
    return st.fixed_dictionaries({}, optional=likely) | ANY_JSON


@pytest.mark.costly
@pytest.mark.parametrize("resource", NAMES)
def test_no_json_body_breaks_an_endpoint(shared_client: FlaskClient, resource: str) -> None:
    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(bodies(resource))
    def post(body: Any) -> None:
        data = json.dumps(body)
        answer = shared_client.post(
            f"/api/v1/{resource}", data=data, content_type="application/json"
        )

        assert answer.status_code in {201, 409, 422}
        assert answer.get_json()["status" if answer.status_code != 201 else "id"]

    post()


def test_no_bytes_break_an_endpoint(shared_client: FlaskClient) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(st.binary(max_size=300))
    def post(body: bytes) -> None:
        answer = shared_client.post("/api/v1/feedback", data=body, content_type="application/json")
        assert answer.status_code in {400, 422}

    post()


@pytest.mark.costly
def test_any_text_that_fits_is_stored_as_it_is(shared_client: FlaskClient) -> None:
    printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=500)

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(printable.filter(lambda text: text == text.strip()))
    def post(content: str) -> None:
        body = {"content": content, "name": "Ada", "email": "a@b.c"}
        answer = shared_client.post("/api/v1/feedback", json=body)
        assert answer.status_code == 201
        stored = shared_client.get(answer.headers["Location"]).get_json()
        assert stored["content"] == content

    post()
