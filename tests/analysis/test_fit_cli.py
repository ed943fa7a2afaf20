import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from analysis.fit_cli import fit
from analysis.law import Law
from scenarios.errors import UsageError
from tests.support.schemas import validator

DATA = Path(__file__).parent / "data"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(fit, [str(argument) for argument in arguments])


def document(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["exit_code"] == result.exit_code
    validator("fit").validate(found)
    return found


def write(folder: Path, rows: list[tuple[float, float]], head: str = "users,rps") -> Path:
    path = folder / "levels.csv"
    path.write_text(head + "\n" + "".join(f"{n!r},{x!r}\n" for n, x in rows), encoding="utf-8")
    return path


def test_a_published_table_has_its_published_peak() -> None:
    found = document(DATA / "usl_specsdm91.csv")
    assert found["exit_code"] == 0
    assert found["refused"] is None
    assert found["sigma"]["value"] == pytest.approx(0.0277285, abs=5e-8)
    assert (found["sigma"]["low"], found["sigma"]["high"]) == pytest.approx(
        (0.0277285 - 2.776445 * 0.0091217, 0.0277285 + 2.776445 * 0.0091217), abs=5e-7
    )
    assert found["kappa"]["value"] == pytest.approx(1.044e-4, abs=5e-8)
    assert found["lambda"]["value"] == pytest.approx(89.9952, abs=5e-5)
    assert found["peak_load"]["value"] == pytest.approx(96.5196, abs=5e-5)
    assert found["peak_throughput"]["value"] == pytest.approx(1884, abs=0.5)
    assert found["asymptote"]["value"] == pytest.approx(3245.589, abs=5e-4)
    assert found["r2"] == pytest.approx(0.98956, abs=5e-6)
    assert found["rmse"] == pytest.approx((27453.720 / 7) ** 0.5, rel=1e-6)


def test_lambda_is_what_one_of_the_tables_loads_gives(tmp_path: Path) -> None:
    rows = [(n, 10.0 * n / (1 + 0.05 * (n - 1))) for n in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)]
    for head, said in (
        ("users,rps", "throughput of one user\n"),
        ("in_flight,rps", "throughput of one request in flight\n"),
        ("load,rps", "throughput at a load of 1\n"),
    ):
        assert said in run(write(tmp_path, rows, head)).stdout


def test_a_table_without_a_fall_has_no_peak() -> None:
    found = document(DATA / "usl_raytracer.csv")
    assert found["peak_load"]["value"] is None
    assert "no fall was seen" in found["peak_load"]["why"]
    assert found["asymptote"]["value"] == pytest.approx(378, abs=0.5)
    assert found["chosen"] == "amdahl"


def test_people_read_coefficients_models_limit_and_what_next() -> None:
    result = run(DATA / "usl_specsdm91.csv")
    assert result.exit_code == 0
    for words in (
        "Throughput has a peak of 1,884/s",
        "at load 96.5",
        "κ kappa   0.000104",
        "<- chosen",
        "Nothing is claimed beyond 432",
        "measure next: 1 more level",
        "draw it with",
    ):
        assert words in result.stdout


def test_a_table_that_cannot_carry_a_fit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [(1, 10), (2, 19), (4, 35), (8, 60), (16, 90)])
    result = run(path)
    assert result.exit_code == 97
    assert "No fit: 5 valid levels; the law needs at least 6." in result.stdout
    assert "measure next: 3 more levels" in result.stdout
    found = document(path)
    assert found["refused"].startswith("5 valid levels")
    assert (found["sigma"]["value"], found["peak_load"]["value"], found["r2"]) == (None, None, None)


def test_loads_that_hardly_differ_are_refused_in_their_own_words(tmp_path: Path) -> None:
    found = document(write(tmp_path, [(n, 10.0 * n) for n in range(10, 17)]))
    assert found["refused"] == "users went from 10 to 16 only; the law needs a factor of 2"


def test_noise_without_a_law_is_refused(tmp_path: Path) -> None:
    rows = [(1.0, 5.0), (2.0, 300.0), (4.0, 2.0), (8.0, 250.0), (16.0, 1.0), (32.0, 280.0)]
    found = document(write(tmp_path, rows))
    assert found["exit_code"] == 97
    assert "scatter" in found["refused"]


def test_repetitions_make_narrower_intervals_that_cover_runs(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    law, loads = Law(sigma=0.05, kappa=1e-3, lambda_=50.0), [1, 2, 4, 8, 16, 32, 64]
    rows = [
        (float(n), float(law.throughput(n) * (1 + 0.03 * rng.standard_normal())))
        for n in loads
        for _ in range(4)
    ]
    many = document(write(tmp_path, rows))
    once = document(write(tmp_path, rows[::4]))
    assert many["levels"] == once["levels"] == 7
    parts = ("sigma", "kappa", "lambda", "peak_load", "peak_throughput", "saturation", "asymptote")
    assert {many[part]["covers"] for part in parts} == {"runs"}
    assert {once[part]["covers"] for part in parts} == {"this run"}
    assert many["residuals"]["lack_of_fit_p"] is not None
    width = [d["lambda"]["high"] - d["lambda"]["low"] for d in (many, once)]
    assert width[0] < width[1]
    assert many["peak_load"]["value"] == pytest.approx(law.peak_load, rel=0.2)


def test_equal_repetitions_are_copies_and_show_no_peak(tmp_path: Path) -> None:
    loads, throughputs = (1, 2, 4, 8, 16, 32, 64), (10, 19, 35, 60, 80, 81, 80.5)
    rows = [(float(n), float(x)) for n, x in zip(loads, throughputs, strict=True)]
    once = document(write(tmp_path, rows))
    for repeated in ([*rows, rows[-1]], rows * 3):
        found = document(write(tmp_path, repeated))
        assert found["peak_load"]["value"] is None
        assert "measured once" in found["peak_load"]["why"]
        assert found["residual_df"] == once["residual_df"]
        assert found["sigma"] == once["sigma"]


def test_growth_faster_than_load_is_said(tmp_path: Path) -> None:
    rows = [(float(n), float(n) ** 1.2) for n in (1, 2, 4, 8, 16, 32)]
    found = document(write(tmp_path, rows))
    assert "faster than load" in found["superlinear"]
    assert "held at 0" in run(write(tmp_path, rows)).stdout


def test_users_with_think_time_are_warned_of(tmp_path: Path) -> None:
    rows = [(float(n), min(n / 1.01, 100.0)) for n in (10, 25, 50, 75, 100, 150, 200)]
    result = run(write(tmp_path, rows))
    assert "saturates at 99.7/s" in result.stdout
    assert "the law's coefficients describe little" in result.stdout
    assert "These loads are users" in result.stdout


def test_rows_before_the_load_began_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [(n, 10.0 * n / (1 + 0.05 * (n - 1))) for n in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)]
    path = write(tmp_path, [(0, 0), (0, 0), *rows])
    assert "\nnote: 2 rows are left out, with load 0 and throughput 0: lines 2 to 3\n" in (
        run(path).stdout
    )
    found = document(path)
    assert (found["left_out"], len(found["rows"]), found["levels"]) == ([2, 3], 6, 6)
    assert found["notes"] == ["2 rows are left out, with load 0 and throughput 0: lines 2 to 3"]
    apart = document(write(tmp_path, [(0, 0), rows[0], (0, 0), *rows[1:]]))
    assert apart["notes"][0].endswith(": lines 2, 4")


def test_a_number_that_is_read_in_one_of_two_ways_is_said(tmp_path: Path) -> None:
    path = tmp_path / "levels.csv"
    path.write_text("users;rps\n1;1.652\n2;3\n")
    said = "1.652 is read with a decimal point, and what is written like it"
    assert document(path)["notes"][0].startswith(said)


def test_throughput_that_is_always_0_is_said_in_plain_words(tmp_path: Path) -> None:
    result = run(write(tmp_path, [(float(n), 0.0) for n in (1, 2, 4, 8, 16, 32, 64, 128)]))
    assert result.exit_code == 97
    assert "No fit: throughput is 0 at every level" in result.stdout
    assert "measure next: Whether rps is the column" in result.stdout
    assert "growing" not in result.stdout
    assert "allowed" not in result.stdout


@pytest.mark.parametrize(("least", "most"), [(1e-9, 1e12), (1.0, 1e12), (1e-9, 1.0)])
def test_the_largest_and_the_smallest_numbers_are_fitted_without_a_warning(
    tmp_path: Path, least: float, most: float
) -> None:
    loads = np.geomspace(least, most, 8)
    for rates in (loads[::-1], loads, np.sqrt(loads)):
        rows = [(float(n), float(x)) for n, x in zip(loads, rates, strict=True)]
        path = write(tmp_path, rows)
        result = run(path)  # a warning would be an error here
        assert result.exit_code in {0, 97}, result.exception
        told = result.stdout.replace(str(path), "").replace(",", "")
        assert max(map(len, told.split())) < 40, "no number is three hundred digits long"


def test_a_table_comes_from_standard_input(tmp_path: Path) -> None:
    table = (DATA / "usl_specsdm91.csv").read_bytes()
    result = CliRunner().invoke(fit, ["-"], input=table)
    assert result.exit_code == 0
    assert result.stdout.startswith("standard input: throughput over load, 7 levels")
    refused = CliRunner().invoke(fit, ["-"], input=b"users\n1\n")
    assert isinstance(refused.exception, UsageError)
    assert refused.exception.message.startswith("standard input:1: found one column")


def test_the_figure_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    figure = tmp_path / "levels.svg"
    result = run(DATA / "usl_specsdm91.csv", "--figure", figure)
    assert f"figure: {figure}" in result.stdout
    svg = figure.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "peak at 96.5" in svg


@pytest.mark.costly
@pytest.mark.parametrize(("name", "begins"), [("a.PNG", b"\x89PNG\r\n"), ("a.pdf", b"%PDF-")])
def test_the_figure_is_of_the_kind_that_its_name_says(
    tmp_path: Path, name: str, begins: bytes
) -> None:
    figure = tmp_path / name
    run(DATA / "usl_specsdm91.csv", "--figure", figure)
    content = figure.read_bytes()
    assert content.startswith(begins)
    run(DATA / "usl_specsdm91.csv", "--figure", figure)
    assert figure.read_bytes() == content, "no date stands in it"


@pytest.mark.parametrize(("name", "found"), [("a.jpg", "the ending .jpg"), ("a", "no ending")])
def test_a_figure_of_another_kind_is_refused_before_the_table_is_read(
    tmp_path: Path, name: str, found: str
) -> None:
    result = run(tmp_path / "missing.csv", "--figure", tmp_path / name)
    assert isinstance(result.exception, UsageError)
    assert result.exception.message.endswith(f"found {found}; allowed: .svg, .png, .pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("link", [False, True])
def test_the_figure_never_replaces_the_table(tmp_path: Path, link: bool) -> None:
    table = write(tmp_path, [(float(n), 10.0 * n) for n in range(1, 9)])
    before, figure = table.read_bytes(), tmp_path / "levels.svg" if link else table
    if link:
        figure.symlink_to(table)
    result = run(table, "--figure", figure)
    assert isinstance(result.exception, UsageError)
    assert "is the table itself" in result.exception.message
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "cannot be read"), (b"\xff\xfeu\x00", "UTF-8"), (b"a,b\n0,1\n", "line 2: a")],
)
def test_a_bad_file_is_a_message(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    result = run(path)
    assert isinstance(result.exception, UsageError)
    assert expected in result.exception.message


def test_a_figure_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    result = run(DATA / "usl_raytracer.csv", "--figure", tmp_path / "no" / "such.svg")
    assert isinstance(result.exception, UsageError)
    assert "--figure" in result.exception.message
