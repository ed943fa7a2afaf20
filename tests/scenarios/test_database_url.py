"""Where the URL of a database leads, and what of it may be shown."""

from __future__ import annotations

import pytest

from scenarios.database_url import read_database_url


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("postgresql://crm@127.0.0.1:5432/crm", ("127.0.0.1",)),
        ("postgres://crm@db.example/crm", ("db.example",)),
        ("postgresql+psycopg://crm:pw@[::1]:5432/crm", ("::1",)),
        ("postgresql://crm@/crm?host=/run/postgresql&port=5433", ()),
        ("postgresql://crm@localhost/crm?host=db.example", ("localhost", "db.example")),
        ("postgresql:///crm?host=a:5432&host=b:5433", ("a", "b")),
        ("postgresql://a.example,b.example/crm", ("a.example", "b.example")),
        ("postgresql:///crm?host=a,/run/x,b", ("a", "b")),
        ("postgresql://%31%30.0.0.1/crm", ("10.0.0.1",)),
    ],
)
def test_every_server_that_it_leads_to_is_named(text: str, hosts: tuple[str, ...]) -> None:
    assert read_database_url(text).hosts == hosts


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://crm:pa$$@h:1/crm", "postgresql://crm:***@h:1/crm"),
        ("postgresql://crm@h/crm?password=pa$$", "postgresql://crm@h/crm?password=***"),
        ("postgresql://h/crm?sslmode=require", "postgresql://h/crm?sslmode=require"),
    ],
)
def test_a_password_is_seen_and_not_shown(text: str, masked: str) -> None:
    url = read_database_url(text)

    assert url.masked == masked
    assert url.has_password == ("pa$$" in text)


@pytest.mark.parametrize(
    "text",
    [
        "mysql://crm@h/crm",
        "postgresql://crm@h",
        "postgresql://crm@h/a/b",
        "postgresql:///crm",
        "postgresql://crm@h/crm?service=x",
        "postgresql://crm@h/crm?hostaddr=10.0.0.1",
        "postgresql://crm@h/crm?passfile=/x",
        "postgresql://a:pa$$@b:c@h/crm",
        "postgresql://crm@h/crm#pa$$",
    ],
)
def test_what_could_lead_elsewhere_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_database_url(text)
    assert "pa$$" not in str(caught.value)
