"""Variables that would lead clients through a proxy."""

from __future__ import annotations

from loadtests.generator.proxies import forget_proxies


def test_no_client_is_told_of_a_proxy_any_more() -> None:
    environment = {"http_proxy": "http://127.0.0.1:3128", "HTTPS_PROXY": "x", "No_Proxy": "*"}
    environment |= {"PATH": "/bin", "TRUELOAD_PROXY_NAME": "kept"}
    forget_proxies(environment)

    assert environment == {"PATH": "/bin", "TRUELOAD_PROXY_NAME": "kept"}
