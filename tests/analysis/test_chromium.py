"""The script that looks for the system's Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import chromium


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


def test_any_of_its_names_will_do(empty_path: Path) -> None:
    program = empty_path / "google-chrome"
    program.write_text("")
    program.chmod(0o755)

    assert chromium.find_chromium() == str(program)
    assert chromium.main() == 0


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("false", 0), ("true", 1)])
def test_only_ci_fails_without_it(
    empty_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str,
    code: int,
) -> None:
    monkeypatch.setenv("CI", ci)

    assert chromium.main() == code
    assert "not root" in capsys.readouterr().out


def test_a_failed_installation_tells_its_last_line(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = empty_path / "apt-get"
    program.write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
    program.chmod(0o755)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("CI", "true")

    assert chromium.main() == 1
    assert "E: no network" in capsys.readouterr().out
