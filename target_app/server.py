"""Starting granian, the WSGI server, and what its workers load.

Each setting below answers to something that goes wrong without it:

- ``--blocking-threads``: else up to 512 Python threads, and far fewer connections to the database.
- ``--backpressure``, ``--backlog``: a worker serves so many *connections*, idle kept ones included;
  the next one waits for ever.
- ``--http1-header-read-timeout``: an idle connection is closed after so long; 60 s is the most.
- ``--workers-kill-timeout``: else a hung request keeps the server from ending.
- ``--respawn-failed-workers``: else one lost worker ends the server. Two losses within 5.5 s end it
  all the same, with one worker as with many.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from target_app import create_app, metrics
from target_app.config import Config
from target_app.lifetime import die_with_master

FACTORY = "target_app.server:create_worker_app"
_GRANIAN_BACKLOG_LEAST = 128
_FILES_BESIDE_CONNECTIONS = 256
_NAME_LONGEST = 100  # of a socket without a file; the kernel takes 108 bytes
HELD_S = 3.0
"""How long a start waits for a port that another start keeps."""


def create_worker_app() -> Flask:
    """
    Make the application in a server worker. This is what granian loads.

    Returns
    -------
    Flask
    """
    die_with_master()
    app = create_app(Config.from_environment(os.environ))
    for page in app.jinja_env.list_templates():
        app.jinja_env.get_template(page)  # compiled now, and not in somebody's first request
    metrics.of(app).keep_sampling()
    # What lives as long as the process need not be looked at by each collection.
    gc.collect()
    gc.freeze()
    return app


def command(*, host: str, port: int, workers: int, threads: int, connections: int) -> list[str]:
    """
    Write granian's command line.

    Parameters
    ----------
    host, port : str, int
        Where to listen.
    workers : int
        How many server processes.
    threads : int
        Request threads of each.
    connections : int
        How many clients may be connected. Each worker is given room for all of them, because the
        kernel spreads connections by chance.

    Returns
    -------
    list of str
    """
    options = {
        "--interface": "wsgi",
        "--http": "1",
        "--host": host,
        "--port": port,
        "--workers": workers,
        "--blocking-threads": threads,
        "--blocking-threads-idle-timeout": 600,
        "--backlog": max(connections, _GRANIAN_BACKLOG_LEAST),
        "--backpressure": connections,
        "--http1-header-read-timeout": 60_000,
        "--workers-kill-timeout": 1,
        "--respawn-interval": 0.3,
        "--log-level": "warning",
    }
    words = [str(word) for option in options.items() for word in option]
    switches = ["--factory", "--no-ws", "--respawn-failed-workers"]
    return [sys.executable, "-P", "-m", "granian", *words, *switches, FACTORY]


def replace_process(
    words: list[str], config: Config, connections: int, metrics_folder: Path
) -> None:
    """
    Become the server. Does not return.

    Parameters
    ----------
    words : list of str
        What `command` wrote.
    config : Config
        The options of the workers, which reach them by the environment.
    connections : int
        How many files may be needed at once, and a few more.
    metrics_folder : Path
        An empty folder, where the workers add up what they count.
    """
    _allow_files(connections + _FILES_BESIDE_CONNECTIONS)
    # granian would take each option that is not given from a variable of its own; and so would we.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GRANIAN_", "CRM_"))}
    # prometheus_client reads it when it is imported, so it must be there from the start.
    given = {"PROMETHEUS_MULTIPROC_DIR": str(metrics_folder)} | config.to_environment()
    os.execve(words[0], words, inherited | given)  # noqa: S606 - no shell is the point


def taken(host: str, port: int) -> str | None:
    """
    Tell whether somebody has a port.

    granian binds with SO_REUSEPORT: beside another server that does so, too, it would start happily
    and get half of the connections. A socket that is bound and does not listen is no obstacle: that
    is how a port is kept for us.

    Parameters
    ----------
    host, port : str, int
        Where we would listen.

    Returns
    -------
    str or None
        What stands in the way, in words; None when nothing does.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        return f"is no address of this machine ({getattr(error, 'strerror', None) or error})"
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return f"cannot be listened on ({error.strerror})"
        # Kept bound meanwhile, so that the kernel does not connect the next socket to itself.
        with socket.socket(family, kind, protocol) as caller:
            caller.settimeout(1)
            if caller.connect_ex(address) == 0:
                return "has a server already"
    return None


def numeric(host: str) -> str:
    """
    Give the address that a host stands for, where it is a name: granian takes no names.

    Parameters
    ----------
    host : str
        Where we would listen; `taken` has found that it is an address of this machine.

    Returns
    -------
    str
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return str(found[0][4][0])


@contextlib.contextmanager
def holding(host: str, port: int) -> Iterator[None]:
    """
    Keep a port from another server of ours that is being started.

    Between looking whether a port is taken and listening on it lie seconds: two that are started
    at the same time would both find it free, and share it. The name of a socket that is bound to
    no file belongs to one process, goes on when that becomes the server, and is free when the last
    of the server's processes is gone.

    Parameters
    ----------
    host, port : str, int
        Where we will listen.

    Yields
    ------
    None

    Raises
    ------
    OSError
        When another one has it, and keeps it for some seconds: one that was killed is given up by
        its workers at once, but for those that were just starting.
    """
    if sys.platform != "linux":  # names without a file are Linux's alone
        yield
        return
    with socket.socket(socket.AF_UNIX) as held:
        held.set_inheritable(True)
        deadline = time.monotonic() + HELD_S
        while not _bound(held, f"\0trueload-crm-{port}-{host}"[:_NAME_LONGEST]):
            if time.monotonic() > deadline:
                raise OSError(f"--host {host} --port {port}: another server is being started on it")
            time.sleep(0.05)
        yield


def _bound(held: socket.socket, name: str) -> bool:
    """
    Give a socket its name, unless another one has it.

    Raises
    ------
    OSError
        When something else is in the way.
    """
    try:
        held.bind(name)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def commit_of_code() -> str | None:
    """
    Find the commit that the code was checked out from.

    Returns
    -------
    str or None
        None without git or outside of a checkout.
    """
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _allow_files(needed: int) -> None:
    """Raise the limit of open files, of which each connection is one; often it is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft not in {resource.RLIM_INFINITY} and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
