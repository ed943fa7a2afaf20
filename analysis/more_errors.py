"""Does the candidate of a duel fail more often? A metric of right answers does not show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.decision import Verdict
from analysis.run_values import ALL, ERRORS, RunValues
from analysis.verdict_on_change import ERROR_TOLERANCE
from scenarios.counting import agreeing, count_of

Runs = Sequence[Mapping[str, Any]]
"""Verdicts of one side's runs, as in verdict.json."""

Without = Sequence[tuple[str, str]]
"""Role of a valid run without a value, and why it has none."""

_OF_ERRORS = frozenset({ERRORS, "availability"})


def more_errors(base: Runs, candidate: Runs, subject: str) -> str:
    """Say in what the candidate's runs fail more than the base's.

    Parameters
    ----------
    base, candidate : sequence of mapping
        Verdicts of the runs; as many a side.
    subject : str
        ``"all"``, or the endpoint that is asked for: all requests are looked at beside it.

    Returns
    -------
    str
        Empty when the mean share of bad requests is within the tolerance of the base's,
        and no more of its runs fail by their budgets of errors.
    """
    for name in dict.fromkeys((ALL, subject)):
        before, after = _mean_share(base, name), _mean_share(candidate, name)
        if before is not None and after is not None and after - before > ERROR_TOLERANCE:
            whose = "all requests" if name == ALL else name
            return (
                f"more of {whose} are bad: {100 * after:.3g} % of the candidate's, "
                f"{100 * before:.3g} % of the base's (tolerance: {100 * ERROR_TOLERANCE:g} points)"
            )
    failed = [run for run in candidate if _fails_by_errors(run)]
    failed_before = sum(_fails_by_errors(run) for run in base)
    if len(failed) > failed_before:
        return (
            f"{len(failed)} of {count_of(len(candidate), 'run')} of the candidate "
            f"{agreeing(len(failed), 'fail')} by errors, {failed_before} of the base's: "
            f"{failed[0]['why']}"
        )
    return ""


def more_without_value(without: Without) -> str:
    """Say whether more of the candidate's runs than of the base's gave no value.

    They were made again, and what came then is of runs in which the candidate did not break:
    pairs that are chosen by what came out.

    Parameters
    ----------
    without : sequence of (str, str)
        Role, and why there was no value, of each run that was valid and gave none.

    Returns
    -------
    str
        Empty when they are not more.
    """
    why = [said for role, said in without if role == "candidate"]
    before = len(without) - len(why)
    if len(why) <= before:
        return ""
    return (
        f"{count_of(len(why), 'run')} of the candidate had to be made again for want of a "
        f"value, {before} of the base's: {why[0]}"
    )


def _mean_share(runs: Runs, subject: str) -> float | None:
    """Average the share of bad requests at the required stage over runs."""
    stages = [[s for s in run["stages"] if s["level"] == run["required"]][-1] for run in runs]
    found = [RunValues(run="", stage=stage).of(subject, ERRORS) for stage in stages]
    shares = [share.value for share in found if share is not None and share.value is not None]
    return sum(shares) / len(shares) if shares else None


def _fails_by_errors(run: Mapping[str, Any]) -> bool:
    """Tell whether a run failed by its errors."""
    if run["verdict"] != Verdict.FAILED:
        return False
    broken = {b["metric"] for b in run["budgets"] if b["verdict"] == Verdict.FAILED}
    return not broken or bool(broken & _OF_ERRORS)
