import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from target_app.models import db
from target_app.options import Options

OPEN = "/api/v1/customers/<record:customer_id>"


def scrape(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """All samples, by their name and the values of their labels in the order of their names."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_answers_are_counted_by_method_route_and_status(client: FlaskClient) -> None:
    for path in ("/api/v1/customers/1", "/api/v1/customers/2", "/api/v1/customers/999999"):
        client.get(path)
    client.head("/api/v1/customers/1")
    found = scrape(client)

    assert found["crm_requests_total", "GET", OPEN, "200"] == 2
    assert found["crm_requests_total", "GET", OPEN, "404"] == 1
    assert found["crm_requests_total", "HEAD", OPEN, "200"] == 1


def test_times_and_queries_are_added_up_by_route(client: FlaskClient) -> None:
    for _ in range(3):
        client.get("/api/v1/customers/1")
    client.get("/healthz")
    found = scrape(client)

    assert found["crm_request_seconds_count", "GET", OPEN] == 3
    assert found["crm_request_seconds_bucket", "10.0", "GET", OPEN] == 3
    assert found["crm_database_seconds_sum", "GET", OPEN] > 0
    assert (
        found["crm_database_seconds_sum", "GET", OPEN]
        < found["crm_request_seconds_sum", "GET", OPEN]
    )
    # The first looks up the token as well; the others know it.
    assert found["crm_queries_total", "GET", OPEN] == 4
    assert found["crm_database_seconds_count", "GET", "/healthz"] == 0


def test_no_caller_can_make_labels(client: FlaskClient) -> None:
    for n in range(3):
        client.get(f"/nothing/{n}")
        client.open("/healthz", method=f"ODD{n}")
    found = scrape(client)

    assert found["crm_requests_total", "GET", "(none)", "404"] == 3
    assert found["crm_requests_total", "(other)", "(none)", "405"] == 3
    assert not [labels for labels in found if "ODD" in str(labels) or "nothing" in str(labels)]


def test_a_failure_of_ours_is_counted_as_an_answer(app: Flask) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    app.testing = False
    client = app.test_client()
    client.get("/broken")

    assert scrape(client)["crm_requests_total", "GET", "/broken", "500"] == 1


def test_what_is_being_served_is_known_while_it_is(app: Flask) -> None:
    client = app.test_client()

    assert scrape(client)["crm_in_flight",] == 1  # the scrape itself
    assert scrape(client)["crm_in_flight",] == 1


def test_the_pool_tells_its_size_its_use_and_its_waits(make_app: Callable[..., Flask]) -> None:
    app = make_app(threads=2)
    client = app.test_client()
    with app.app_context():
        db.engine.pool._timeout = 0.01  # type: ignore[attr-defined]  # no waiting in tests
        with db.engine.connect():
            found = scrape(client)
            assert (found["crm_pool_size",], found["crm_pool_checked_out",]) == (2, 1)
            assert found["crm_pool_waits",] == 0
            with db.engine.connect():
                assert client.get("/readyz").status_code == 503
        found = scrape(client)
    assert (found["crm_pool_checked_out",], found["crm_pool_waits",]) == (0, 1)


def test_the_process_tells_its_memory_threads_and_processor_time(client: FlaskClient) -> None:
    found = scrape(client)

    assert found["crm_process_resident_bytes",] > 10_000_000
    assert found["crm_process_threads",] >= 1
    assert found["crm_process_cpu_seconds",] > 0


def test_who_asks_for_some_is_told_those_alone(client: FlaskClient) -> None:
    text = client.get("/metrics?name[]=crm_in_flight&name[]=crm_requests_total").text
    assert {family.name for family in text_string_to_metric_families(text)} <= {
        "crm_in_flight",
        "crm_requests",
    }
    assert "crm_in_flight 1.0" in text


def test_what_runs_is_told_as_labels(make_app: Callable[..., Flask]) -> None:
    options = Options(paging="offset", drop_index=("orders_placed", "orders_status"))
    client = make_app(commit="abc", options=options).test_client()
    (line,) = [s for s in client.get("/metrics").text.splitlines() if s.startswith("crm_info{")]

    assert 'commit="abc"' in line
    assert 'database="sqlite"' in line
    assert 'paging="offset"' in line
    assert 'drop_index="orders_placed,orders_status"' in line
    assert 'n_plus_one="false"' in line
    assert line.endswith(" 1.0")


# A process is told where to count before it imports the library: so these are processes.
_WORKER = """
import sys
from pathlib import Path
from target_app import Config, create_app
client = create_app(Config(database=Path(sys.argv[1]))).test_client()
for _ in range(int(sys.argv[2])):
    client.get("/healthz")
some = client.get("/metrics?name[]=crm_in_flight&name[]=crm_pool_size").text
told = {line.partition("{")[0] for line in some.splitlines() if not line.startswith("#")}
assert told == {"crm_in_flight", "crm_pool_size"}, some
print(client.get("/metrics").text)
if sys.argv[3] == "die":
    import os, signal
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_counts_of_a_killed_process_stay_and_its_gauges_go(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd [name] *.metrics"
    folder.mkdir()

    def run(requests: int, end: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", "-c", _WORKER, str(database), str(requests), end],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
            check=end == "live",
        ).stdout

    first, second = run(3, "die"), run(4, "live")

    count = 'crm_requests_total{method="GET",route="/healthz",status="200"}'
    assert f"{count} 3.0" in first
    assert f"{count} 7.0" in second
    gauges = [line for line in second.splitlines() if line.startswith("crm_in_flight{")]
    assert len(gauges) == 1
    assert first.count("crm_in_flight{") == 1
    assert gauges[0] not in first
