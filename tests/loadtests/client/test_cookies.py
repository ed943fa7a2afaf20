"""Cookies, as browsers keep them."""

from __future__ import annotations

import pytest

from loadtests.generator.client import cookies
from loadtests.generator.client.cookies import CookieJar
from loadtests.generator.client.origin import Origin

PLAIN = Origin.of("http://127.0.0.1:8000")
SECURE = Origin.of("https://127.0.0.1")
SHOP = Origin.of("http://shop.example.com")
OTHER = Origin.of("http://localhost:8000")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


def jar(
    *headers: str, origin: Origin = PLAIN, path: str = "/a/b", clock: Clock | None = None
) -> CookieJar:
    made = CookieJar(clock or Clock())
    for header in headers:
        made.store(header.encode(), origin, path)
    return made


@pytest.mark.parametrize(
    ("header", "origin", "path", "line"),
    [
        ("a=1; Path=/", PLAIN, "/x", "a=1"),
        ("a=1; Path=/", OTHER, "/x", ""),
        ("a=1", PLAIN, "/a/c", "a=1"),
        ("a=1", PLAIN, "/c", ""),
        ("a=1; Path=/ad", PLAIN, "/ad", "a=1"),
        ("a=1; Path=/ad", PLAIN, "/ad/min?x", "a=1"),
        ("a=1; Path=/ad", PLAIN, "/admin", ""),
        ("a=1; Path=/ad", PLAIN, "/ad?x=/y", "a=1"),
        ("a=1; Path=relative", PLAIN, "/a/x", "a=1"),
        ("a=1; Secure; Path=/", PLAIN, "/", ""),
        ("a=1; Secure; Path=/", SECURE, "/", "a=1"),
        ('a="b c=d"; Path=/; HttpOnly; SameSite=Lax', PLAIN, "/", 'a="b c=d"'),
        ("a=; Path=/", PLAIN, "/", "a="),
        ("a", PLAIN, "/", ""),
        ("=1; Path=/", PLAIN, "/", ""),
        ("a=1; Max-Age=0; Path=/", PLAIN, "/", ""),
        ("a=1; Max-Age=60; Path=/", PLAIN, "/", "a=1"),
        ("a=1; Max-Age=soon; Path=/", PLAIN, "/", "a=1"),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", PLAIN, "/", ""),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Path=/", PLAIN, "/", "a=1"),
        ("a=1; Expires=whenever; Path=/", PLAIN, "/", "a=1"),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", PLAIN, "/", "a=1"),
        ("a=1; Domain=example.org; Path=/", PLAIN, "/", ""),
        (f"a={'x' * 5000}; Path=/", PLAIN, "/", ""),
    ],
)
def test_a_cookie_goes_where_it_belongs(header: str, origin: Origin, path: str, line: str) -> None:
    assert jar(header, origin=SECURE if "Secure" in header else PLAIN).line(origin, path) == line


@pytest.mark.parametrize(
    ("domain", "host", "line"),
    [
        ("", "shop.example.com", "a=1"),
        ("", "www.shop.example.com", ""),
        ("example.com", "example.com", "a=1"),
        (".EXAMPLE.com", "www.example.com", "a=1"),
        ("example.com", "badexample.com", ""),
        ("www.shop.example.com", "www.shop.example.com", ""),
    ],
)
def test_a_cookie_may_be_for_a_whole_domain(domain: str, host: str, line: str) -> None:
    made = jar(f"a=1; Domain={domain}; Path=/" if domain else "a=1; Path=/", origin=SHOP)
    assert made.line(Origin.of(f"http://{host}"), "/") == line


def test_a_later_cookie_of_the_name_replaces_the_first() -> None:
    made = jar("a=1; Path=/", "b=2; Path=/", "a=3; Path=/")
    assert made.line(PLAIN, "/") == "b=2; a=3"
    made.store(b"a=1; Path=/", PLAIN, "/")
    assert made.line(PLAIN, "/") == "b=2; a=1"
    made.store(b"b=2; Path=/", PLAIN, "/")
    assert made.line(PLAIN, "/") == "b=2; a=1"
    made.store(b"a=; Max-Age=0; Path=/", PLAIN, "/")
    assert made.line(PLAIN, "/") == "b=2"
    made.store(b"a=1; Path=/", PLAIN, "/")
    assert made.line(PLAIN, "/") == "b=2; a=1"


def test_the_more_special_path_comes_first() -> None:
    assert jar("a=1; Path=/", "a=2; Path=/x").line(PLAIN, "/x/y") == "a=2; a=1"


def test_a_cookie_without_a_path_belongs_to_where_it_came_from() -> None:
    made = jar("a=1", path="/login")
    made.store(b"a=1", PLAIN, "/deep/down/page")
    assert made.line(PLAIN, "/deep/down/") == "a=1; a=1"
    assert made.line(PLAIN, "/x") == "a=1"


def test_a_query_is_no_part_of_where_a_cookie_came_from() -> None:
    assert jar("a=1", path="/in/side?next=/out/side").line(PLAIN, "/in/x?y") == "a=1"


def test_a_cookie_ends_at_its_time() -> None:
    clock = Clock()
    made = jar("a=1; Max-Age=60; Path=/", "b=2; Path=/", clock=clock)
    assert made.line(PLAIN, "/") == "a=1; b=2"
    clock.now_s += 61
    assert made.line(PLAIN, "/") == "b=2"


def test_a_server_cannot_fill_the_memory_with_cookies() -> None:
    made = CookieJar()
    for number in range(1_000):
        made.store(b"n%d=1; Path=/" % number, PLAIN, "/")
    assert len(made) == cookies.MAX_COOKIES
    assert len(made._known) <= cookies.MAX_COOKIES
    assert made.line(PLAIN, "/").endswith("n999=1")
