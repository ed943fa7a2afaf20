"""A URL is read, refused where it cannot be used, and shown without its password."""

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from target_app.errors import DatasetError
from target_app.postgres import parse, require_reachable, safe


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_gets_our_driver(scheme: str) -> None:
    url = parse(f"{scheme}://u:p%40ss@host:5433/crm")
    assert url.drivername == "postgresql+psycopg"
    assert (url.password, url.host, url.port, url.database) == ("p@ss", "host", 5433, "crm")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("postgresql://u:s3cret@x@host/crm", "has more than one @. Write each"),
        ("postgresql://u:s3cret", "cannot be read"),
        ("postgresql://u:p@host:s3cret/crm", "cannot be read"),
        ("mysql://u:s3cret@host/crm", "mysql://u:***@host/crm: is no URL of PostgreSQL"),
        ("postgresql+asyncpg://u:s3cret@host/crm", "is no URL of PostgreSQL"),
        ("host=h password='s3cret word'", "is no URL of PostgreSQL"),
        ("data/crm.sqlite", "data/crm.sqlite: is no URL of PostgreSQL"),
        ("", "is no URL of PostgreSQL"),
    ],
)
def test_what_is_none_is_refused_without_showing_a_password(text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(message)) as caught:
        parse(text)
    assert "s3cret" not in str(caught.value)
    assert "postgresql://USER@HOST" in str(caught.value) or "%40" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://h/d?user=u&password=s3cret",
        "postgresql://h/d?sslpassword=s3cret",
    ],
)
def test_a_password_is_never_shown(text: str) -> None:
    for shown in (safe(text), safe(make_url(text))):
        assert "s3cret" not in shown
        assert shown.startswith("postgresql://")


def test_a_server_that_is_not_there_is_said_without_its_password(tmp_path: Path) -> None:
    url = parse(f"postgresql://u:s3cret@/crm?host={tmp_path}")
    with pytest.raises(
        DatasetError, match=r"(?s)u:\*\*\*@/crm.*cannot be reached.*No such"
    ) as said:
        require_reachable(url)
    assert "s3cret" not in str(said.value)


def test_an_option_that_does_not_exist_is_said() -> None:
    with pytest.raises(DatasetError, match="no_such_option"):
        require_reachable(parse("postgresql://u@/crm?no_such_option=1"))
