"""What an instance of the CRM serves and how: read once, then fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    The options of one instance.

    Server workers are other processes than the command that starts them, so the options travel
    in environment variables: `to_environment` writes what `from_environment` reads.
    """

    database: Path
    """The SQLite file (``CRM_DATABASE``). It must exist; the application never makes one."""

    threads: int = 4
    """Request threads of a worker, and so connections of its pool (``CRM_THREADS``)."""

    access_log: Path | None = None
    """Where to append a line per answered request (``CRM_ACCESS_LOG``); off when None."""

    instance: str | None = None
    """Any text that ``/healthz`` repeats, to tell this server from others (``CRM_INSTANCE``)."""

    commit: str | None = None
    """The commit of the code, for ``/version`` (``CRM_COMMIT``)."""

    max_body_bytes: int = 64 * 1024
    """Request bodies beyond this are answered 413."""

    busy_timeout_ms: int = 5000
    """How long a statement waits for another writer before the database counts as busy."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Config:
        """
        Read the options of this process.

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
        if not environ.get("CRM_DATABASE"):
            raise RuntimeError(
                "CRM_DATABASE is not set; start with: python -m target_app serve --database PATH"
            )
        access_log = environ.get("CRM_ACCESS_LOG")
        return cls(
            database=Path(environ["CRM_DATABASE"]),
            threads=int(environ.get("CRM_THREADS", "4")),
            access_log=Path(access_log) if access_log else None,
            instance=environ.get("CRM_INSTANCE") or None,
            commit=environ.get("CRM_COMMIT") or None,
        )

    def to_environment(self) -> dict[str, str]:
        """
        Write the options as `from_environment` reads them.

        Returns
        -------
        dict of str to str
            Only the variables that are set.
        """
        variables = {
            "CRM_DATABASE": str(self.database),
            "CRM_THREADS": str(self.threads),
            "CRM_ACCESS_LOG": str(self.access_log) if self.access_log else None,
            "CRM_INSTANCE": self.instance,
            "CRM_COMMIT": self.commit,
        }
        return {name: value for name, value in variables.items() if value is not None}
