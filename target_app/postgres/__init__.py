"""
PostgreSQL: one of our own, started from the binaries in a wheel, or one that somebody gives.

A `Cluster` is a folder of data, a `Running` the server on it; ``databases`` and ``urls`` work on
any server. Nothing here knows what the databases hold.
"""

from target_app.postgres.cluster import Cluster, is_cluster
from target_app.postgres.copying import copy_cluster
from target_app.postgres.databases import create_from_template, drop_database, ensure_database
from target_app.postgres.programs import binaries
from target_app.postgres.running import Running
from target_app.postgres.urls import parse, require_reachable, safe

__all__ = [
    "Cluster",
    "Running",
    "binaries",
    "copy_cluster",
    "create_from_template",
    "drop_database",
    "ensure_database",
    "is_cluster",
    "parse",
    "require_reachable",
    "safe",
]
