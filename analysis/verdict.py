"""The verdict of a run: everything that verdict.json says, as one document.

::

    what was acknowledged is not stored, once   failed         whatever else is found
    else the target ended before its load       failed         the same
    else requests were sent, none answered well failed         the same
    else the harness cannot say                 invalid
    else a budget is broken                     failed
    else a budget's endpoint had no request     invalid
    else the required stage was cut short, or
         a budget is undecided                  inconclusive
    else                                        passed         (unjudged without budgets)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.budgets import HOLD_METRICS
from analysis.by_phase import by_phase
from analysis.clicks import clicks_in
from analysis.counted import COUNTED, counted
from analysis.decision import Verdict
from analysis.estimate import Estimate
from analysis.goodput import Goodput
from analysis.goodput import assess as assess_goodput
from analysis.judging import BudgetResult, StageDecision, judge_all, unanswered_anywhere
from analysis.limits import limit_of, unit_of
from analysis.quantiles import quantile
from analysis.ran_on import ran_on
from analysis.reasons import Reason
from analysis.recording.reader import Recording
from analysis.run_warnings import run_warnings
from analysis.scaling import scaling_of
from analysis.scorecard import called_by, scorecard
from analysis.stability import stability_of
from analysis.steady import steady_in, unsteady
from analysis.summary import counts, endpoints, in_flight_of, measured
from analysis.validity import Validity, assess
from analysis.windows import (
    Hold,
    columns_of,
    hold_of,
    hold_windows,
)
from scenarios.errors import ExitCode
from scenarios.model import Budget, Load

FORMAT = 1
"""Version of the document."""

_EXIT_CODES = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.UNJUDGED: ExitCode.PASSED,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Verdict.INVALID: ExitCode.INVALID,
}

_ENDED_BY = {"interrupted": ExitCode.INTERRUPTED, "host_refused": ExitCode.USAGE}
"""Ends that decide the exit code whatever the verdict is."""


def judge(
    recording: Recording,
    *,
    budgets: Sequence[Budget] | None = None,
    on_inconclusive: str | None = None,
) -> dict[str, Any]:
    """Judge a recorded run.

    Parameters
    ----------
    recording : Recording
        The run.
    budgets : sequence of Budget, optional
        Instead of the scenario's own.
    on_inconclusive : str, optional
        ``"pass"`` or ``"fail"``: what an inconclusive run exits with.

    Returns
    -------
    dict
        The document of verdict.json: plain numbers, texts, lists, dicts and None.

    Raises
    ------
    ValueError
        When `on_inconclusive` is neither.
    """
    if on_inconclusive not in COUNTED:
        raise ValueError(f"on_inconclusive = {on_inconclusive!r}; allowed: pass, fail, or nothing")
    scenario = recording.scenario
    if budgets is not None:
        scenario = replace(scenario, budgets=tuple(budgets))
        recording = replace(recording, scenario=scenario)
    windows = hold_windows(recording.schedule, recording.ended_s)
    holds = [hold_of(recording.samples, window) for window in windows]
    validity = assess(recording, holds, scenario.budgets)
    subjects = (budget.subject for budget in scenario.budgets)
    stability = stability_of(recording, subjects, holds)
    steadiness = [steady_in(hold, stability.disturbed) for hold in holds]
    results, verdicts, capacity = judge_all(
        scenario.budgets, holds, validity, stability, patience_s=scenario.drain_s
    )
    dead = unanswered_anywhere(holds, validity, patience_s=scenario.drain_s)
    complete = all(h.window.complete for h in holds if h.window.level == scenario.load.required)
    shown = _shown_stage(holds, scenario.load.required)
    goodput, clicks = _goodput(recording, shown), clicks_in(recording, shown.window)
    verdict, why = _verdict(recording, results, validity, dead, goodput, complete=complete)
    stages = [
        {
            **_stage(hold, validity, verdicts[hold.window.stage]),
            "steady": steady.as_dict(),
            "by_phase": by_phase(hold, stability.spells),
        }
        for hold, steady in zip(holds, steadiness, strict=True)
    ]
    return {
        "format": FORMAT,
        "run": str(recording.manifest.get("run", recording.folder.name)),
        "scenario": scenario.name,
        "title": scenario.title,
        "question": scenario.question,
        "verdict": str(verdict),
        "why": why,
        "exit_code": int(_exit_code(verdict, recording.end_why, on_inconclusive)),
        "on_inconclusive": on_inconclusive,
        "model": scenario.load.model,
        "load_unit": scenario.load.unit,
        "think_scale": scenario.load.think_scale,
        "mix": dict(scenario.load.mix),
        "required": scenario.load.required,
        "implied": [budget.implied for budget in scenario.budgets if budget.implied],
        "ended": {
            "why": recording.end_why,
            "load_ended_s": recording.ended_s,
            "complete": complete,
        },
        "ran_on": ran_on(recording.manifest),
        "totals": counts(recording.samples),
        "warnings": [
            *run_warnings(recording, validity.notes),
            *goodput.warnings,
            *clicks.warnings,
            *unsteady(shown.window, steadiness[shown.window.stage]),
        ],
        "validity": {
            "valid": not validity.harmful,
            "reasons": [reason.as_dict() for reason in validity.harmful],
        },
        "budgets": [_budget(result, scenario.load.unit) for result in results],
        "endpoints": [
            {"stage": shown.window.stage, **endpoint}
            for endpoint in stages[shown.window.stage]["endpoints"]
        ],
        "transactions": clicks.transactions,
        "mix_achieved": clicks.mix,
        "stages": stages,
        "scalability": scaling_of(
            recording, holds, stages, capacity, spoiled=_messages(validity.of_run) or None
        ),
        "stability": stability.as_dict(),
        "goodput": goodput.document,
        "scorecard": [
            row.as_dict()
            for row in scorecard(
                results,
                scenario,
                availability=stability.over_time,
                p95=_p95(shown),
                capacity=capacity,
                judged=any(r.gates and r.budget.assertion.metric in HOLD_METRICS for r in results),
                validity=validity,
                called=called_by(recording.manifest, scenario),
            )
        ],
    }


def _verdict(
    recording: Recording,
    results: Sequence[BudgetResult],
    validity: Validity,
    dead: StageDecision | None,
    goodput: Goodput,
    *,
    complete: bool,
) -> tuple[Verdict, str]:
    """Apply the precedence that stands at the top of this module, and say why."""
    load = recording.scenario.load
    gating = [result for result in results if result.gates]
    failed = [result for result in gating if result.verdict is Verdict.FAILED]
    unanswered = [result for result in failed if result.decision.unanswered]
    undecided = [result for result in gating if result.verdict is Verdict.INCONCLUSIVE]
    cut = f"the run did not complete its required stage ({recording.end_why})"
    reached = (
        f"stage {dead.stage + 1} ({load.named(dead.level)}): {dead.decision.why}" if dead else ""
    )
    precedence = (
        (
            recording.end_why == "host_refused",
            Verdict.UNJUDGED,
            "load to a host that nobody allowed was refused",
        ),
        (goodput.broken, Verdict.FAILED, "; ".join(goodput.broken)),
        (
            recording.end_why == "target_lost" and not complete,
            Verdict.FAILED,
            f"the target ended by itself after {recording.ended_s:.3g} s of load",
        ),
        (dead is not None, Verdict.FAILED, reached),
        (unanswered, Verdict.FAILED, _words(unanswered, load)),
        (validity.broken, Verdict.INVALID, _messages(validity.broken)),
        (failed, Verdict.FAILED, _words(failed, load)),
        (validity.harmful, Verdict.INVALID, _messages(validity.harmful)),
        (not gating, Verdict.UNJUDGED, "no budget was stated that could fail the run"),
        (not complete, Verdict.INCONCLUSIVE, cut),
        (undecided, Verdict.INCONCLUSIVE, _words(undecided, load)),
        (True, Verdict.PASSED, "every budget holds"),
    )
    return next((verdict, why) for holds, verdict, why in precedence if holds)


def _goodput(recording: Recording, shown: Hold) -> Goodput:
    run = str(recording.manifest.get("run", recording.folder.name))
    return assess_goodput(
        recording.samples,
        recording.audit,
        shown.window,
        prefix=str(recording.manifest.get("id", run.rpartition("_")[2])),
        checked=bool(recording.scenario.load.mix),
    )


def _messages(reasons: Sequence[Reason]) -> str:
    more = f"; and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0].message}{more}" if reasons else ""


def _words(results: Sequence[BudgetResult], load: Load) -> str:
    if not results:
        return ""
    first = results[0]
    if first.stage is None or first.level is None:
        stage = ""
    else:
        stage = f" at stage {first.stage + 1} ({load.named(first.level)})"
    why = f": {first.decision.why}" if first.decision.why else ""
    more = f"; and {len(results) - 1} more" if len(results) > 1 else ""
    verdict = "is broken" if first.verdict is Verdict.FAILED else "is undecided"
    return f"{first.budget.subject}: {first.budget.assertion.text} {verdict}{stage}{why}{more}"


def _exit_code(verdict: Verdict, end_why: str, on_inconclusive: str | None) -> ExitCode:
    if end_why in _ENDED_BY:
        return _ENDED_BY[end_why]
    return counted(_EXIT_CODES[verdict], on_inconclusive)


def _shown_stage(holds: Sequence[Hold], required: float) -> Hold:
    """Pick the required stage; where it was not run, the last one below it that was."""
    counting = [hold for hold in holds if hold.window.level <= required]
    run = [hold for hold in counting if hold.window.was_run]
    at_required = [hold for hold in run if hold.window.level == required]
    return (at_required or run or counting)[-1]


def _p95(hold: Hold) -> Estimate:
    among = columns_of(hold.samples, "latency_ms", "good", "censored")
    among = among[(among["good"] | among["censored"]).to_numpy()]
    censored = among["censored"].to_numpy(dtype=bool)
    return quantile(among["latency_ms"].to_numpy(), 0.95, censored=censored)


def _stage(hold: Hold, validity: Validity, verdict: Verdict) -> dict[str, Any]:
    window = hold.window
    reasons = validity.of_stage(window.stage)
    return {
        "stage": window.stage,
        **_load(window.level, window.unit),
        "hold": [window.start_s, window.end_s],
        "judged": window.was_run and window.level <= validity.required,
        "complete": window.complete,
        "valid": not reasons and not validity.of_run,
        "reasons": [reason.as_dict() for reason in reasons],
        **measured(hold),
        "in_flight": in_flight_of(hold).as_dict(),
        "verdict": str(verdict),
        "endpoints": endpoints(hold),
    }


def _budget(result: BudgetResult, unit: str) -> dict[str, Any]:
    assertion, decision = result.budget.assertion, result.decision
    share = decision.share_beyond
    return {
        "subject": result.budget.subject,
        "assertion": assertion.text,
        "metric": str(assertion.metric),
        "limit": limit_of(assertion),
        "unit": unit_of(assertion),
        "severity": str(assertion.severity),
        "implied": result.budget.implied,
        "owner": result.budget.expectation.owner,
        "source": result.budget.expectation.source,
        "stage": result.stage,
        **_load(result.level, unit),
        "measured": decision.measured.as_dict(),
        "share_beyond": None if share is None else share.as_dict(),
        "verdict": result.shown,
        "why": decision.why,
        "stages": [
            {
                "stage": at.stage,
                **_load(at.level, unit),
                "measured": at.decision.measured.as_dict(),
                "share_beyond": at.decision.share_beyond.as_dict()
                if at.decision.share_beyond
                else None,
                "verdict": str(at.verdict),
                "why": at.decision.why,
            }
            for at in result.stages
        ],
    }


def _load(level: float | None, unit: str) -> dict[str, float | None]:
    """Name a level by the model that it belongs to."""
    users, rate = (level, None) if unit == "users" else (None, level)
    return {"level": level, "users": users, "rate": rate}
