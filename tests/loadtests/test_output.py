"""Standard output does not decide how a command ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.output import unfailing

TOO_FEW = "users,rps\n1,10\n2,19\n4,35\n8,60\n16,90\n"
PUBLISHED = Path(__file__).parents[1] / "analysis" / "data" / "usl_specsdm91.csv"


def stream_to(number: int, encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding=encoding)


def test_what_nobody_reads_is_written_to_nobody() -> None:
    reader, writer = os.pipe()
    out = unfailing(stream_to(writer))
    os.close(reader)
    print("x" * 1_000_000, file=out, flush=True)
    print("and more", file=out, flush=True)
    os.close(writer)


def test_what_somebody_reads_arrives() -> None:
    reader, writer = os.pipe()
    print("p95 ≥ 5 ms ✓", file=unfailing(stream_to(writer)), flush=True)
    assert os.read(reader, 100).decode() == "p95 ≥ 5 ms ✓\n"
    os.close(reader)
    os.close(writer)


def test_a_character_that_the_stream_has_not_is_a_question_mark() -> None:
    reader, writer = os.pipe()
    print("Größe λ ✓", file=unfailing(stream_to(writer, "latin-1"), errors="replace"), flush=True)
    assert os.read(reader, 100) == "Größe ? ?\n".encode("latin-1")
    os.close(reader)
    os.close(writer)


def test_what_is_no_file_stays_what_it_is() -> None:
    within = io.StringIO()
    assert unfailing(within) is within
    captured = io.TextIOWrapper(io.BytesIO())
    assert unfailing(captured) is captured


def fit(table: Path, out: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "loadtests.cli", "fit", str(table)],
        stdout=out,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )


@pytest.mark.costly
def test_a_command_ends_by_its_verdict_where_nobody_reads(tmp_path: Path) -> None:
    table = tmp_path / "levels.csv"
    table.write_text(TOO_FEW)
    reader, writer = os.pipe()
    os.close(reader)
    command = fit(table, writer)
    os.close(writer)
    _, said = command.communicate()
    assert (command.returncode, said) == (97, b"")


@pytest.mark.costly
def test_a_command_ends_by_its_verdict_in_a_small_alphabet() -> None:
    command = fit(PUBLISHED, subprocess.PIPE)
    out, said = command.communicate()
    assert (command.returncode, said) == (0, b"")
    assert b"? kappa" in out
