"""A damaged run folder is told, or read from what is whole: it never ends in a traceback."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.compared_run import read_compared
from analysis.finish import finish, report_again
from analysis.percentiles_cli import percentiles, read_windows
from analysis.recording.format import MANIFEST, PARQUET, SAMPLES_FOLDER, VERDICT
from analysis.recording.reader import read_run
from analysis.recording.shape import misfits
from analysis.report import write
from scenarios.errors import ExitCode, RunFolderError
from tests.analysis.compared_runs import recorded

Path_ = tuple[str | int, ...]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few seconds with everything that a supervisor notes, judged."""
    folder = recorded(
        tmp_path_factory.mktemp("runs"),
        1,
        hold_s=3.0,
        id="a1b2c3",
        command=["trueload", "run", "smoke"],
        group="d4e5f6",
        role="base",
        sequence=1,
        target={"url": "http://127.0.0.1:1", "cores": [1]},
    )
    described = json.loads((folder / MANIFEST).read_text())
    described |= {"seeds": {"users": 7}}
    described["generators"][0]["cores"] = "shared"
    (folder / MANIFEST).write_text(json.dumps(described))
    finish(folder, report=False)
    return folder


@pytest.fixture
def run(judged: Path, tmp_path: Path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(judged, tmp_path / "run"))


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every path in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in inside:
        yield (*at, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*at, key))


def put(document: Any, at: Path_, value: object) -> Any:
    """The same document with another value at a path."""
    spoilt = copy.deepcopy(document)
    inner = spoilt
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return spoilt


def spoil_pages(samples: Path) -> None:
    """Turn every bit between the head of a Parquet file and its foot."""
    content = bytearray(samples.read_bytes())
    foot = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content[4:foot] = bytes(byte ^ 0xFF for byte in content[4:foot])
    samples.write_bytes(content)


def damage_told(read: Callable[[Path], object], folder: Path) -> RunFolderError | None:
    """Read a folder that may be damaged; whatever is raised but the one error is a defect."""
    try:
        read(folder)
    except RunFolderError as error:
        return error
    return None


ANYTHING: st.SearchStrategy[Any] = st.sampled_from([None, "x", [], {}])
some = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.costly
@some
@given(data=st.data(), value=ANYTHING)
def test_any_value_of_a_manifest_may_be_wrong(
    judged: Path, data: st.DataObject, value: Any
) -> None:
    path = judged / MANIFEST
    whole, verdict = path.read_text(), (judged / VERDICT).read_text()
    document = json.loads(whole)
    at = data.draw(st.sampled_from(list(places(document))))
    try:
        path.write_text(json.dumps(put(document, at, value)))
        for read in (read_windows, read_compared, lambda folder: finish(folder, report=False)):
            error = damage_told(read, judged)
            assert error is None or str(judged) in error.message
    finally:
        path.write_text(whole)
        (judged / VERDICT).write_text(verdict)


@pytest.mark.costly
@some
@given(data=st.data(), value=ANYTHING)
def test_any_value_of_a_verdict_may_be_wrong(judged: Path, data: st.DataObject, value: Any) -> None:
    path = judged / VERDICT
    whole = path.read_text()
    document = json.loads(whole)
    at = data.draw(st.sampled_from(list(places(document))))
    try:
        path.write_text(json.dumps(put(document, at, value)))
        with patch.object(write, "illustrate", return_value=[]):  # drawing takes its time
            for read in (read_compared, report_again):
                error = damage_told(read, judged)
                assert error is None or str(path) in error.message
                assert error is None or f"trueload check {judged}" in (error.hint or "")
    finally:
        path.write_text(whole)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "found no object"),
        ("{}", "format: found null; allowed: a whole number"),
        ('{"format": 2}', "found format 2; allowed: 1"),
        ('{"format": 1, "run": 5, "stages": "x"}', 'stages: found "x"; allowed: a list'),
    ],
)
def test_a_verdict_that_cannot_be_rendered_is_told_and_no_report_is_touched(
    run: Path, text: str, said: str
) -> None:
    (run / VERDICT).write_text(text)
    (run / "report.html").write_text("of before")
    with pytest.raises(RunFolderError) as told:
        report_again(run)
    assert said in told.value.message
    assert str(run / VERDICT) in told.value.message
    assert f"trueload check {run}" in (told.value.hint or "")
    assert (run / "report.html").read_text() == "of before"


def test_all_that_is_wrong_in_a_document_is_told_at_once(run: Path) -> None:
    described = json.loads((run / MANIFEST).read_text())
    described |= {"target": "x", "end": "x", "generators": [{"process": "0"}, None]}
    (run / MANIFEST).write_text(json.dumps(described))
    with pytest.raises(RunFolderError) as told:
        read_run(run)
    assert told.value.exit_code is ExitCode.USAGE
    assert told.value.message.splitlines()[1:] == [
        '  target: found "x"; allowed: an object',
        '  generators[0].process: found "0"; allowed: a whole number',
        "  generators[1]: found null; allowed: an item",
        '  end: found "x"; allowed: an object',
    ]


def test_what_nobody_asks_for_may_be_anything() -> None:
    assert list(misfits({"weather": "fine"}, {"tags": {}})) == []
    assert list(misfits({"tags": None}, {"tags": {}})) == []


def test_samples_with_damaged_pages_are_read_from_the_streams(run: Path) -> None:
    before = read_run(run)
    spoil_pages(run / PARQUET)
    after = read_run(run)
    assert after.samples.equals(before.samples)
    assert after.streams == before.streams


@pytest.mark.parametrize("read", [read_run, read_compared, finish])
def test_damaged_pages_without_streams_are_damage_and_no_full_disk(run: Path, read: Any) -> None:
    shutil.rmtree(run / SAMPLES_FOLDER)
    (run / VERDICT).unlink()
    spoil_pages(run / PARQUET)
    with pytest.raises(RunFolderError, match="is damaged") as told:
        read(run)
    assert told.value.exit_code is ExitCode.USAGE
    assert "make room" not in (told.value.hint or "")


@pytest.mark.parametrize(
    "spoil", [Path.unlink, spoil_pages, lambda path: path.write_bytes(b"PAR1")]
)
def test_percentiles_are_read_from_the_streams_where_the_samples_are_not_whole(
    run: Path, spoil: Any
) -> None:
    def table() -> str:
        result = CliRunner().invoke(percentiles, [str(run)])
        assert result.exit_code == 0, result.exception
        return result.stdout

    before = table()
    spoil(run / PARQUET)
    assert table() == before
    shutil.rmtree(run / SAMPLES_FOLDER)
    assert table() == before  # the file is whole again
