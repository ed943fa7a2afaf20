"""What became of a request."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest
import requests
from geventhttpclient.useragent import RetriesExceeded
from locust.exception import CatchResponseError
from urllib3.exceptions import NewConnectionError

from analysis.recording.format import Outcome
from loadtests.generator.outcomes import classify, clean_error, own_limit


def answer(status: int | None, error: BaseException | None = None) -> SimpleNamespace:
    return SimpleNamespace(status_code=status, error=error)


def gave_up(original: BaseException) -> RetriesExceeded:
    return RetriesExceeded("http://h/", 0, original=original)


@pytest.mark.parametrize(
    ("exception", "response", "outcome"),
    [
        (None, answer(200), Outcome.OK),
        (None, answer(404), Outcome.OK),  # the persona declared it as expected
        (None, None, Outcome.OK),  # not HTTP, reported as a success
        (requests.HTTPError("500"), answer(500), Outcome.HTTP_ERROR),
        (CatchResponseError("bad"), answer(503), Outcome.HTTP_ERROR),
        (requests.HTTPError("429"), answer(429), Outcome.RATE_LIMITED),
        (CatchResponseError("no list"), answer(200), Outcome.CHECK_FAILED),
        (CatchResponseError("no list"), answer(302), Outcome.CHECK_FAILED),
        (TimeoutError("late"), answer(0), Outcome.TIMEOUT),
        (requests.exceptions.ReadTimeout("late"), answer(0), Outcome.TIMEOUT),
        (TimeoutError("late in the body"), answer(200), Outcome.TIMEOUT),
        (ConnectionResetError("reset in the body"), answer(200), Outcome.CONNECTION_ERROR),
        (ConnectionRefusedError("refused"), answer(0), Outcome.CONNECTION_ERROR),
        (CatchResponseError("bad"), answer(0, ConnectionResetError()), Outcome.CONNECTION_ERROR),
        (CatchResponseError("bad"), answer(0, TimeoutError()), Outcome.TIMEOUT),
        (AssertionError("no"), None, Outcome.CHECK_FAILED),
        # as FastHttpUser reports whatever it might have tried again
        (gave_up(TimeoutError()), answer(0, gave_up(TimeoutError())), Outcome.TIMEOUT),
        (gave_up(BrokenPipeError()), answer(0), Outcome.CONNECTION_ERROR),
        (RetriesExceeded("/", "Redirection limit reached"), answer(0), Outcome.CONNECTION_ERROR),
    ],
)
def test_each_way_to_end_has_its_outcome(
    exception: BaseException | None, response: object, outcome: Outcome
) -> None:
    assert classify(exception, response)[0] is outcome


def test_a_success_that_was_declared_without_an_answer_is_none() -> None:
    outcome, status = classify(None, answer(0, TimeoutError()))

    assert outcome is Outcome.TIMEOUT
    assert status is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, None),
        (CatchResponseError("status 500 instead of 200"), "status 500 instead of 200"),
        (gave_up(TimeoutError("no answer within 5 s")), "TimeoutError: no answer within 5 s"),
        (
            ConnectionError("cannot reach http://user:pw@h/x?token=1"),
            "ConnectionError: cannot reach <url>",
        ),
        (CatchResponseError("Authorization: Bearer abc.def"), "Authorization: <secret>"),
        (CatchResponseError("token=abc is old"), "<secret> is old"),
        (CatchResponseError("order 1234567 at 0x7f00aa"), "order <n> at <n>"),
        (CatchResponseError("a\n  b"), "a b"),
    ],
)
def test_errors_are_written_without_urls_secrets_and_numbers(
    error: BaseException | None, text: str | None
) -> None:
    assert clean_error(error) == text


def wrapped(error: Exception) -> requests.exceptions.ConnectionError:
    """As requests and urllib3 hand it on."""
    try:
        try:
            raise error
        except OSError as cause:
            raise NewConnectionError(SimpleNamespace(), str(cause)) from cause  # type: ignore[arg-type]
    except NewConnectionError as cause:
        found = requests.exceptions.ConnectionError(cause)
        found.__context__ = cause
        return found


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.EMFILE, "x"), "Too many open files"),
        (wrapped(OSError(errno.EADDRNOTAVAIL, "x")), "Cannot assign requested address"),
        (gave_up(OSError(errno.EMFILE, "x")), "Too many open files"),
        (wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "x")), None),
        (CatchResponseError("x"), None),
        (None, None),
    ],
)
def test_what_the_generator_is_short_of_is_found_in_what_clients_wrap(
    error: Exception | None, why: str | None
) -> None:
    assert own_limit(error) == why


def test_errors_are_bounded() -> None:
    assert len(clean_error(CatchResponseError("x " * 5000)) or "") == 160
