import contextlib
import json
import socket
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from target_app import Config, seeding, server
from target_app.cli import main
from target_app.options import Options


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.mark.costly
def test_seed_prints_the_folder_or_a_line_of_json(runner: CliRunner, tmp_path: Path) -> None:
    words = ["seed", "--customers", "3", "--seed", "5", "--data", str(tmp_path)]
    plain = runner.invoke(main, words)
    line = json.loads(runner.invoke(main, [*words, "--json"]).stdout)

    assert plain.exit_code == 0
    assert plain.stdout == f"{tmp_path}\n"
    assert plain.stderr.startswith("made: ")
    assert " 3 customers, " in plain.stderr
    assert line["dir"] == str(tmp_path)
    assert line["database"] == str(tmp_path / "crm.sqlite")
    assert line["remark"] == "reused"
    assert line["manifest"]["seed"] == 5


def test_reset_prints_the_copy(runner: CliRunner, dataset: seeding.Found, tmp_path: Path) -> None:
    target = tmp_path / "copy.sqlite"
    result = runner.invoke(main, ["reset", "--data", str(dataset.folder), "--to", str(target)])

    assert result.exit_code == 0
    assert result.stdout == f"{target}\n"
    assert target.is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed", "--customers", "0"], "0 is not in the range"),
        (["seed", "--seed", "-1"], "-1 is not in the range"),
        (["seed", "--seed", "x"], "'x' is not a valid integer"),
        (["reset", "--data", "nowhere", "--to", "x"], "holds no complete dataset"),
        (["serve"], "Missing option '--database'"),
        (["serve", "--database", "nowhere"], "Make one: python -m target_app seed --data DIR"),
        (["serve", "--database", "."], "is a folder, and no PostgreSQL cluster is in it"),
        (["serve", "--database", "nowhere", "--port", "0"], "0 is not in the range"),
        (["serve", "--database", "x", "--extension", "nothing"], "--extension nothing: unknown"),
        (
            ["serve", "--database", "x", "--option", "paging=x", "--option", "pool=3"],
            "--option: paging=x: must be keyset or offset; pool: unknown; allowed are cache, ",
        ),
        (
            ["serve", "--database", "postgresql://u:hidden@h/d"],
            "--database postgresql+psycopg://u:***@h/d: every user of this machine can read",
        ),
        (["serve", "--database", "postgresql://h:nowhere/d"], "cannot be read. Write postgresql"),
        (["serve", "--database", "nowhere", "--threads", "129"], "129 is not in the range"),
    ],
)
def test_bad_usage_is_explained_and_ends_with_2(
    runner: CliRunner,
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(main, words)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert "hidden" not in result.output


def test_an_access_log_that_cannot_be_written_is_refused(runner: CliRunner, database: Path) -> None:
    words = ["serve", "--database", str(database), "--access-log", "/no/such/folder/log"]
    result = runner.invoke(main, words)

    assert result.exit_code == 2
    assert "--access-log /no/such/folder/log: cannot be written" in result.stderr


def test_a_file_that_is_no_crm_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    for content in (b"", b"not a database at all" * 100):
        file = tmp_path / "file"
        file.write_bytes(content)
        result = runner.invoke(main, ["serve", "--database", str(file)])

        assert result.exit_code == 2
        assert "is no CRM database" in result.stderr
        assert file.read_bytes() == content


def test_a_database_of_another_version_is_refused_in_one_line(
    runner: CliRunner, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "taken", lambda *_: None)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE changes RENAME COLUMN action TO deed")
    result = runner.invoke(main, ["serve", "--database", str(database)])

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"Error: {database}: was made by another version of this program (no such column: "
        "changes.action). Make dataset and copy anew: see python -m target_app seed --help"
    ]


def test_the_url_of_another_database_is_not_taken_for_a_file(runner: CliRunner) -> None:
    result = runner.invoke(main, ["serve", "--database", "mysql://host/crm"])

    assert result.exit_code == 2
    assert "mysql://host/crm: is no URL of PostgreSQL" in result.stderr


def test_a_file_that_may_not_be_written_is_not_called_something_else(
    runner: CliRunner, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions mean nothing to root, who may run this.
    monkeypatch.setattr("os.access", lambda *_: False)
    result = runner.invoke(main, ["serve", "--database", str(database)])

    assert result.exit_code == 2
    assert f"{database}: may not be written" in result.stderr


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_somebody_listens_on_is_refused(
    runner: CliRunner, database: Path, shared: bool
) -> None:
    with socket.socket() as other:
        if shared:  # as granian does: binding beside it would succeed
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = runner.invoke(main, ["serve", "--database", str(database), "--port", str(port)])

    assert result.exit_code == 2
    assert f"--host 127.0.0.1 --port {port}: " in result.stderr


def test_a_port_that_is_only_held_is_free() -> None:
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        assert server.taken("127.0.0.1", keeper.getsockname()[1]) is None


@pytest.mark.costly
def test_a_port_that_another_one_is_being_started_on_is_refused(
    runner: CliRunner, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HELD_S", 0.1)
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        with server.holding("127.0.0.1", port):
            words = ["serve", "--database", str(database), "--port", str(port)]
            result = runner.invoke(main, words)
        with server.holding("127.0.0.1", port):
            pass  # and it is free afterwards

    assert result.exit_code == 2
    assert f"--port {port}: another server is being started on it" in result.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_who_lets_other_machines_in_is_told_what_they_can_work_out(
    runner: CliRunner, tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "taken", lambda *_: None)
    words = ["serve", "--database", str(tmp_path / "none"), "--host", host]
    said = " ".join(runner.invoke(main, words).stderr.split())

    warned = "The tokens and the password of its accounts follow from the dataset's seed" in said
    assert warned == (host == "0.0.0.0")


def test_an_address_of_another_machine_is_refused() -> None:
    assert server.taken("192.0.2.1", 8000)
    assert server.taken("no.such.host.invalid", 8000)


@pytest.mark.parametrize("host", ["a..b", "x" * 200, "ä" * 300])
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    assert str(server.taken(host, 8000)).startswith("is no address of this machine")


def test_a_name_becomes_the_address_that_the_server_takes() -> None:
    assert server.numeric("localhost") in {"127.0.0.1", "::1"}
    for address in ("127.0.0.1", "0.0.0.0", "::1"):
        assert server.numeric(address) == address


def test_the_server_is_given_room_for_the_connections() -> None:
    words = server.command(host="127.0.0.1", port=8000, workers=2, threads=3, connections=50)
    given = dict(pairwise(words))

    assert given["--backpressure"] == "50"
    assert given["--backlog"] == "128"  # the least that granian takes
    assert given["--blocking-threads"] == "3"
    assert given["--http1-header-read-timeout"] == "60000"
    assert given["--workers-kill-timeout"] == "1"
    assert "--respawn-failed-workers" in words


def test_options_survive_the_way_through_the_environment() -> None:
    config = Config(
        database=Path("/d b/x?.sqlite"),
        options=Options.parse(["cache=ttl", "drop_index=orders_placed,orders_status"]),
        extensions=("loyalty", "other"),
        workers=3,
        threads=7,
        test_mode=True,
        secret_key="k",
        access_log=Path("/l"),
        instance="i",
        commit="c",
    )

    assert Config.from_environment(config.to_environment()) == config
    least = {"CRM_DATABASE": "/x", "CRM_SECRET_KEY": "k"}
    assert Config.from_environment(least) == Config(database=Path("/x"), secret_key="k")
    with pytest.raises(RuntimeError, match="CRM_DATABASE is not set"):
        Config.from_environment({})


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@h/d", "postgresql+psycopg://u@/d?host=/s&port=1"]
)
def test_a_url_survives_the_way_through_the_environment(url: str) -> None:
    config = Config(database=url)

    assert Config.from_environment(config.to_environment()).postgres_url == url


@pytest.mark.parametrize("command", ["seed", "reset", "serve"])
def test_every_command_has_help_with_an_example(runner: CliRunner, command: str) -> None:
    result = runner.invoke(main, [command, "--help"])

    assert result.exit_code == 0
    assert f"python -m target_app {command} " in result.output


def test_a_path_with_odd_characters_is_served(dataset: seeding.Found, tmp_path: Path) -> None:
    from target_app import create_app
    from target_app.models import db

    path = seeding.copy_dataset(dataset.folder, tmp_path / "a ?#%41&b" / "x y.sqlite")
    app = create_app(Config(database=path))

    assert app.test_client().get("/readyz").status_code == 200
    with app.app_context():
        db.engine.dispose()
