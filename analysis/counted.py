"""What an inconclusive answer exits with, where somebody has said so: ``--inconclusive``.

::

    nothing said    97
    fail            99   counted as failed; 98 stays the code of what was found to be worse
    pass             0   counted as passed, where what was measured leaves it open
                    97   where nothing was, or more than evidence is missing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scenarios.errors import ExitCode

COUNTED: Final[Mapping[str | None, ExitCode]] = {
    None: ExitCode.INCONCLUSIVE,
    "pass": ExitCode.PASSED,
    "fail": ExitCode.FAILED,
}
"""Exit codes by what was said."""


def counted(code: ExitCode, on_inconclusive: str | None, *, is_open: bool = True) -> ExitCode:
    """Give the exit code of an answer, with an inconclusive one counted as was said.

    Parameters
    ----------
    code : ExitCode
        Of the answer itself.
    on_inconclusive : str or None
        ``"pass"``, ``"fail"``, or nothing.
    is_open : bool
        Whether what was measured leaves the question open: where nothing was measured,
        or something else is wrong, an inconclusive answer never counts as passed.

    Returns
    -------
    ExitCode
        Any other than inconclusive is left as it is.
    """
    if code is not ExitCode.INCONCLUSIVE or (on_inconclusive == "pass" and not is_open):
        return code
    return COUNTED[on_inconclusive]
