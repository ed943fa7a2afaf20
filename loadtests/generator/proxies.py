"""Keeps clients from sending through a proxy: the guard sees the host that is connected to."""

from __future__ import annotations

from collections.abc import MutableMapping


def forget_proxies(environment: MutableMapping[str, str]) -> None:
    """Remove the variables by which programs are told of proxies.

    What a proxy on this machine is asked to fetch from anywhere else would be seen as going
    to this machine; and load that goes through one measures the proxy.

    Parameters
    ----------
    environment : mutable mapping of str to str
        Of this process; those that it starts inherit it.
    """
    for name in [name for name in environment if name.lower().endswith("_proxy")]:
        del environment[name]
