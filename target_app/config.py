"""What an instance of the CRM serves and how: read once, then fixed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from target_app.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    The settings of one instance.

    Server workers are other processes than the command that starts them, so the settings travel
    in environment variables: `to_environment` writes what `from_environment` reads.
    """

    database: Path | str
    """A SQLite file, or the URL of a PostgreSQL database (``CRM_DATABASE``). It must exist; the
    application never makes one."""

    options: Options = field(default_factory=Options)
    """Published optimisations and defects (``CRM_OPTIONS``)."""

    extensions: tuple[str, ...] = ()
    """Modules of `target_app.extensions` that are switched on (``CRM_EXTENSIONS``)."""

    workers: int = 1
    """Server processes, for ``/version`` (``CRM_WORKERS``)."""

    threads: int = 4
    """Request threads of a worker, and so connections of its pool (``CRM_THREADS``)."""

    test_mode: bool = False
    """Whether the audit answers (``CRM_TEST_MODE``); it tells everything to a test, and nobody
    else may ask."""

    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    """Signs sessions (``CRM_SECRET_KEY``); all workers need the same one."""

    access_log: Path | None = None
    """Where to append a line per answered request (``CRM_ACCESS_LOG``); off when None."""

    instance: str | None = None
    """Any text that ``/healthz`` repeats, to tell this server from others (``CRM_INSTANCE``)."""

    commit: str | None = None
    """The commit of the code, for ``/version`` (``CRM_COMMIT``)."""

    max_body_bytes: int = 64 * 1024
    """Request bodies beyond this are answered 413."""

    busy_timeout_ms: int = 5000
    """How long a statement may take on PostgreSQL, and on SQLite wait for another writer, before
    the database counts as busy."""

    @property
    def postgres_url(self) -> str | None:
        """The URL of the PostgreSQL database; None when the database is a SQLite file."""
        return self.database if isinstance(self.database, str) else None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Config:
        """
        Read the settings of this process.

        Parameters
        ----------
        environ : mapping of str to str
            ``os.environ``.

        Returns
        -------
        Config

        Raises
        ------
        RuntimeError
            When ``CRM_DATABASE`` is not set.
        """
        database = environ.get("CRM_DATABASE")
        if not database:
            raise RuntimeError(
                "CRM_DATABASE is not set; start with: python -m target_app serve --database PATH"
            )
        access_log = environ.get("CRM_ACCESS_LOG")
        options = environ.get("CRM_OPTIONS")
        return cls(
            database=database if is_url(database) else Path(database),
            options=Options.from_text(options) if options else Options(),
            extensions=tuple(filter(None, environ.get("CRM_EXTENSIONS", "").split(","))),
            workers=int(environ.get("CRM_WORKERS", "1")),
            threads=int(environ.get("CRM_THREADS", "4")),
            test_mode=environ.get("CRM_TEST_MODE") == "1",
            secret_key=environ.get("CRM_SECRET_KEY") or secrets.token_hex(32),
            access_log=Path(access_log) if access_log else None,
            instance=environ.get("CRM_INSTANCE") or None,
            commit=environ.get("CRM_COMMIT") or None,
        )

    def to_environment(self) -> dict[str, str]:
        """
        Write the settings as `from_environment` reads them.

        Returns
        -------
        dict of str to str
            Only the variables that are set.
        """
        variables = {
            "CRM_DATABASE": str(self.database),
            "CRM_OPTIONS": self.options.to_text(),
            "CRM_EXTENSIONS": ",".join(self.extensions) or None,
            "CRM_WORKERS": str(self.workers),
            "CRM_THREADS": str(self.threads),
            "CRM_TEST_MODE": "1" if self.test_mode else None,
            "CRM_SECRET_KEY": self.secret_key,
            "CRM_ACCESS_LOG": str(self.access_log) if self.access_log else None,
            "CRM_INSTANCE": self.instance,
            "CRM_COMMIT": self.commit,
        }
        return {name: value for name, value in variables.items() if value is not None}


def is_url(database: str) -> bool:
    """
    Tell a PostgreSQL URL from a path.

    Parameters
    ----------
    database : str
        As the command line or the environment names it.

    Returns
    -------
    bool
    """
    return database.startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))
