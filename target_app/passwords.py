"""Passwords as they are kept: scrypt, in the format that Werkzeug reads and writes."""

from __future__ import annotations

import hashlib

COST = 15
"""log2 of scrypt's N. With r = 8, p = 1 it is Werkzeug's default: 32 MiB, some 100 ms."""

_BLOCK_SIZE, _PARALLEL = 8, 1
_COST_LEAST, _COST_MOST = 7, 20
# Werkzeug checks within 132 N r bytes, and OpenSSL asks for 128 (N + 3) r: enough from N = 96 on.


def hash_password(password: str, salt: str, cost: int = COST) -> str:
    """
    Hash a password with a salt that is given: Werkzeug's own function draws one.

    Parameters
    ----------
    password : str
        The password.
    salt : str
        Letters and digits; random, unless the hash has to be the same each time.
    cost : int
        log2 of scrypt's N, from 7 to 20. Each step doubles the time and the memory.

    Returns
    -------
    str
        What `werkzeug.security.check_password_hash` takes.

    Raises
    ------
    ValueError
        When the salt or the cost is none.
    """
    if not (salt.isascii() and salt.isalnum()):
        raise ValueError(f"salt: must be ASCII letters and digits; found {salt!r}")
    if not _COST_LEAST <= cost <= _COST_MOST:
        raise ValueError(f"cost: must be from {_COST_LEAST} to {_COST_MOST}; found {cost}")
    n = 2**cost
    digest = hashlib.scrypt(
        password.encode(),
        salt=salt.encode(),
        n=n,
        r=_BLOCK_SIZE,
        p=_PARALLEL,
        maxmem=132 * n * _BLOCK_SIZE * _PARALLEL,  # as Werkzeug asks for
    )
    return f"scrypt:{n}:{_BLOCK_SIZE}:{_PARALLEL}${salt}${digest.hex()}"
