"""The OpenAPI document is one, says all there is, and says what is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from target_app import openapi
from target_app.api import PREFIX, Operation
from target_app.options import Options

Json = dict[str, Any]


@pytest.fixture
def document(stranger: FlaskClient) -> Json:
    answer = stranger.get(openapi.PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: Json = answer.get_json()
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def schemas(node: object) -> Iterator[Json]:
    """Every JSON Schema in a document, wherever it stands."""
    if isinstance(node, list):
        for each in node:
            yield from schemas(each)
    elif isinstance(node, dict):
        for name, each in node.items():
            if name == "schema":
                yield each
            yield from schemas(each)


@pytest.mark.slow
def test_it_is_valid_openapi(document: Json) -> None:
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

    OPENAPI_31_VALIDATOR.validate(document)


@pytest.mark.costly
def test_every_schema_in_it_is_one(document: Json) -> None:
    found = list(schemas(document))
    assert len(found) > 50
    for schema in found:
        Draft202012Validator.check_schema(schema)


EVERYTHING = {
    "extensions": ("loyalty",),
    "test_mode": True,
    "options": Options(synthetic=True),
}


@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_it_names_every_rule_of_the_api_and_no_other(
    make_app: Callable[..., Flask], more: dict[str, Any]
) -> None:
    app = make_app(**more)
    document = app.test_client().get(openapi.PATH).get_json()
    rules = {
        (openapi.written(rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith((PREFIX, "/synthetic"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == {(path, method.upper()) for path, method, _ in operations(document)}


def test_operations_have_names_of_their_own_and_say_what_they_do(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(operation["summary"].endswith(".") for _, _, operation in operations(document))


def test_every_parameter_of_a_path_is_described(document: Json) -> None:
    for path, _, operation in operations(document):
        described = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert [f"{{{name}}}" for name in described] == [
            part for part in path.split("/") if part.startswith("{")
        ]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("list_customers", {200, 401, 403, 422, 503}),
        ("open_customer", {200, 304, 401, 404, 422, 503}),
        ("create_customer", {201, 400, 401, 403, 409, 413, 415, 422, 503}),
        ("change_customer", {200, 400, 401, 403, 404, 409, 412, 413, 415, 422, 503}),
        ("remove_customer", {204, 401, 403, 404, 409, 412, 422, 503}),
        ("list_products", {200, 401, 422, 503}),
        ("openapi", {200}),
    ],
)
def test_errors_stand_where_they_can_happen(document: Json, name: str, statuses: set[int]) -> None:
    (operation,) = [each for _, _, each in operations(document) if each["operationId"] == name]
    assert {int(status) for status in operation["responses"]} == statuses


def test_a_body_says_what_must_be_there_and_a_patch_what_may_be_removed(document: Json) -> None:
    methods = document["paths"]["/api/v1/customers"]["post"]
    whole = methods["requestBody"]["content"]["application/json"]["schema"]
    assert whole["required"] == ["name", "email"]
    assert whole["additionalProperties"] is False
    assert whole["properties"]["status"]["enum"][-1] is None  # the default stands for it
    methods = document["paths"]["/api/v1/customers/{customer_id}"]["patch"]
    patch = methods["requestBody"]["content"]["application/json"]["schema"]
    assert "required" not in patch
    assert patch["properties"]["phone"]["type"] == ["string", "null"]
    assert patch["properties"]["status"]["type"] == "string"
    assert patch["properties"]["name"]["type"] == "string"


def test_what_has_been_created_is_linked_to_what_can_be_done_with_it(document: Json) -> None:
    created = document["paths"]["/api/v1/customers"]["post"]["responses"]["201"]
    assert {"open_customer", "change_customer", "remove_customer"} <= created["links"].keys()
    assert created["links"]["open_customer"] == {
        "operationId": "open_customer",
        "parameters": {"path.customer_id": "$response.body#/id"},
    }


def test_only_the_document_itself_needs_no_token(document: Json) -> None:
    without = [o["operationId"] for _, _, o in operations(document) if o.get("security") == []]
    assert without == ["openapi"]
    assert document["security"] == [{"token": []}]


def test_the_queue_of_known_truth_needs_no_token_and_asks_no_database(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(options=Options(synthetic=True))
    operation = app.test_client().get(openapi.PATH).get_json()["paths"]["/synthetic"]["get"]

    assert operation["security"] == []
    assert set(operation["responses"]) == {"200", "422"}


def test_a_kind_of_parameter_without_a_schema_is_refused() -> None:
    operation = Operation(
        name="x",
        method="GET",
        path="/x/<uuid:key>",
        resource="x",
        summary="X.",
        allow=frozenset(),
        answers={200: None},
    )
    with pytest.raises(TypeError, match="no schema for <uuid:"):
        openapi.document([operation])
