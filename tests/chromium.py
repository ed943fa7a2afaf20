"""Finds the system's Chromium; as a script, installs Debian's where it is missing and may be.

``make test`` runs it before pytest. It never fails a developer's machine: where nothing
can be installed it says why, and browser tests are skipped. Under ``CI=true`` it fails,
so that no CI run is green without them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"
UPDATE_S = 120
INSTALL_S = 300


def find_chromium() -> str | None:
    """Path of the system's Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def must_be_there() -> bool:
    """Whether its absence is a failure: in CI."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def _install() -> str | None:
    """Install the package; None when it went well, else why it did not."""
    if os.geteuid() != 0:
        return "not root, so nothing was installed"
    if shutil.which("apt-get") is None:
        return "apt-get is not there, so nothing was installed"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments, seconds in (
        (["update"], UPDATE_S),
        (["install", "-y", "--no-install-recommends", PACKAGE], INSTALL_S),
    ):
        why = _apt_get(arguments, seconds, environment)
        if why is not None:
            return why
    return None


def _apt_get(arguments: list[str], seconds: int, environment: dict[str, str]) -> str | None:
    command = ["apt-get", "-qq", *arguments]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} took more than {seconds} s"
    if done.returncode == 0:
        return None
    last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
    return f"{' '.join(command)}: {last}"


def main() -> int:
    """Make sure of a Chromium as far as that may be; the exit code of the script."""
    if find_chromium() is not None:
        return 0
    why = _install()
    if why is None and find_chromium() is not None:
        sys.stdout.write(f"installed {PACKAGE} for the browser tests\n")
        return 0
    why = why or f"the package {PACKAGE} brought none of {', '.join(NAMES)}"
    what = "CI is not green without" if must_be_there() else "skipped are"
    sys.stdout.write(f"no Chromium: {why}; {what} the browser tests\n")
    return 1 if must_be_there() else 0


if __name__ == "__main__":
    sys.exit(main())
