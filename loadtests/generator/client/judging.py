"""Whether an answer is what was expected."""

from __future__ import annotations

from collections.abc import Callable, Collection

from analysis.recording.format import Outcome
from loadtests.generator.client.redirects import Redirects
from loadtests.generator.client.response import Response
from loadtests.generator.outcomes import clean_error

_TOO_MANY = 429
_FIRST_ERROR = 400

_FINE = (Outcome.OK, None)
"""Made once: to find a member of an enumeration takes a fifth of a microsecond, each time."""

Check = Callable[[Response], str | None]
"""Says what is wrong with a response, or None."""


def judge(
    response: Response,
    expect: int | Collection[int],
    check: Check | None,
    redirects: Redirects | None = None,
) -> tuple[Outcome, str | None]:
    """Judge an answer: first its status, then its content.

    Parameters
    ----------
    response : Response
        The answer.
    expect : int or collection of int
        The status that is right, or several.
    check : callable or None
        One that raises finds fault with the answer.
    redirects : Redirects or None
        Takes those that are followed: they are what was expected.

    Returns
    -------
    tuple of (Outcome, str or None)
        The outcome, and what is wrong.
    """
    if redirects is not None and redirects.leads_on(response):
        return _FINE
    status = response.status
    if status != expect and (isinstance(expect, int) or status not in expect):
        return _of_status(status), f"status {status} instead of {_words(expect)}"
    if check is None:
        return _FINE
    try:
        wrong = check(response)
    except Exception as error:  # noqa: BLE001 - whatever a check trips over is a wrong answer
        wrong = f"the check raised {type(error).__name__}: {error}"
    return (Outcome.CHECK_FAILED, clean_error(wrong)) if wrong else _FINE


def _of_status(status: int) -> Outcome:
    if status == _TOO_MANY:
        return Outcome.RATE_LIMITED
    return Outcome.HTTP_ERROR if status >= _FIRST_ERROR else Outcome.CHECK_FAILED


def _words(expect: int | Collection[int]) -> str:
    return str(expect) if isinstance(expect, int) else " or ".join(map(str, sorted(expect)))
