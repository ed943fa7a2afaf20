"""A body that did not come whole is no body, though what came of it may look whole."""

import pytest
from flask.testing import FlaskClient

WHOLE = b'{"name": "Ada", "email": "ada@short.example"}'


@pytest.mark.parametrize("terminated", [True, False])
def test_a_body_that_ended_early_is_refused(client: FlaskClient, terminated: bool) -> None:
    # A server that says that its stream ends by itself is believed: granian's ends with the
    # connection, too.
    answer = client.post(
        "/api/v1/customers",
        data=WHOLE,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": terminated, "CONTENT_LENGTH": "4000"},
    )
    assert answer.status_code == 400
    found = client.get("/api/v1/search?q=ada@short.example").get_json()
    assert found["items"] == []
