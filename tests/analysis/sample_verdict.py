"""A verdict as the judge writes it, by hand: failed, with one of everything."""

from __future__ import annotations

from typing import Any

TOO_FEW = "300 values are too few for both ends of an interval: they take at least 417"
MAXIMUM = "what was seen in this run: a maximum has no interval"
LATENCY = ("p50", "p90", "p95", "p99", "avg", "max")
USERS = (10, 25, 50, 75, 100, 200, 400)
RATES = (39.2, 97.6, 192.4, 281.0, 352.6, 398.1, 396.4)
IN_FLIGHT = (0.108, 0.304, 0.824, 2.31, 9.87, 102.6, 300.9)
MILLISECONDS = {
    10: (2.01, 5.71, 7.55, 11.9, 2.74, 19.3),
    25: (2.24, 6.6, 8.93, 14.1, 3.11, 31.7),
    50: (3.02, 9.15, 12.3, 18.8, 4.27, 33.1),
    75: (6.19, 18.4, 23.2, 33.9, 8.21, 52.4),
    100: (26.4, 50.2, 58.1, 72.3, 28.0, 98.7),
    200: (257.0, 293.5, 304.6, 331.2, 257.7, 392.1),
    400: (759.0, 812.4, 834.0, 1204.0, 761.5, 2000.0),
}
ENDPOINTS = {
    "GET /api/v1/customers": 0.30,
    "GET /api/v1/customers/{id}": 0.30,
    "GET /api/v1/customers/{id}/orders": 0.20,
    "POST /api/v1/orders": 0.10,
    "GET /api/v1/orders/{id}": 0.10,
}


def estimate(
    value: float | None, low: float | None = None, high: float | None = None, **more: Any
) -> dict[str, Any]:
    """An estimate as verdict.json writes it."""
    return {
        "value": value,
        "low": low,
        "high": high,
        "level": 0.95,
        "n": 2388,
        "n_eff": 410.0,
        "unit": "",
        "method": "",
        "covers": "this run",
        "why": None,
    } | more


def at_least(value: float, unit: str) -> dict[str, Any]:
    """A lower bound."""
    why = "it falls among requests whose end nobody saw"
    return estimate(value, value, None, unit=unit, why=why)


def around(value: float, unit: str, half: float = 0.03) -> dict[str, Any]:
    """An estimate with an interval of so much to each side."""
    return estimate(value, value * (1 - half), value * (1 + half), unit=unit)


def percentile(value: float, half: float = 0.07) -> dict[str, Any]:
    """A percentile with an interval that reaches further up than down."""
    return estimate(value, value * (1 - half), value * (1 + 1.4 * half), unit="ms")


def latency(users: int, factor: float = 1.0) -> dict[str, Any]:
    """Latency at a load; the tail of the smallest has no upper end."""
    numbers = dict(zip(LATENCY, MILLISECONDS[users], strict=True))
    found = {
        name: percentile(value * factor, 0.04 + 0.01 * index)
        for index, (name, value) in enumerate(numbers.items())
    }
    found["max"] |= {"low": None, "high": None, "why": MAXIMUM}
    if users == USERS[0]:
        found["p99"] |= {"high": None, "why": TOO_FEW}
    if users == 400:
        found["p99"] = at_least(numbers["p99"] * factor, "ms")
        found["max"] = at_least(numbers["max"], "ms")
    return found


def outcomes(requests: int, bad: int, unfinished: int = 0) -> dict[str, int]:
    """Outcomes that add up."""
    counted = {
        "ok": requests - bad,
        "check_failed": bad // 3,
        "http_error": bad - bad // 3 - unfinished,
        "unfinished": unfinished,
    }
    return {label: count for label, count in counted.items() if count}


def error_ratio(requests: int, bad: int) -> dict[str, Any]:
    """An error ratio with something like its Wilson interval."""
    ratio = bad / requests
    half = 2 * (max(bad, 1)) ** 0.5 / requests
    return estimate(ratio, max(0.0, ratio - half), ratio + half, unit="ratio", n=requests)


def part(requests: int, bad: int, users: int, share: float, unfinished: int = 0) -> dict[str, Any]:
    """What stages and endpoints have in common."""
    rate = RATES[USERS.index(users)] * share
    return {
        "requests": requests,
        "bad": bad,
        "unfinished": unfinished,
        "outcomes": outcomes(requests, bad, unfinished),
        "error_ratio": error_ratio(requests, bad),
        "error_ratios": {
            label: error_ratio(requests, count)
            for label, count in outcomes(requests, bad, unfinished).items()
            if label != "ok"
        },
        "throughput": around(rate, "1/s"),
        "latency": latency(users, 0.8 + share),
        "service_time": latency(users, 0.79 + share),
        "spent": spent(users, share),
    }


def spent(users: int, share: float) -> dict[str, Any]:
    """Where the time of a request goes: it waits longer under load, and works as before."""
    index = USERS.index(users)
    return {
        "waiting": around(2.0 + 9.5 * index * (1 + share), "ms"),
        "application": around(6.5 + share, "ms"),
        "database": around(3.25 + share, "ms"),
        "queries": estimate(4.0, 4.0, 4.0, unit=""),
    }


def stage(index: int) -> dict[str, Any]:
    """One stage of 6 s."""
    users = USERS[index]
    requests = round(RATES[index] * 6)
    bad = {200: 7, 400: 41}.get(users, 0)
    start_s = 2.0 + index * 8.0 + 2.0
    reasons = [LOST] if users == 400 else []
    return {
        "stage": index,
        "level": users,
        "users": users,
        "rate": None,
        "hold": [start_s, start_s + 6.0],
        "judged": users <= 200,
        "complete": True,
        "valid": not reasons,
        "reasons": reasons,
        **part(requests, bad, users, 0.2, unfinished=3 if users == 400 else 0),
        "throughput": around(RATES[index], "1/s"),
        "latency": latency(users),
        "service_time": latency(users),
        "in_flight": around(IN_FLIGHT[index], "requests"),
        "verdict": "failed" if users == 200 else "passed" if users < 200 else "unjudged",
        "steady": steady(unsteady=users == 200),
        "by_phase": by_phase() if users == 200 else [],
        "endpoints": [endpoint(index, name) for name in ENDPOINTS],
    }


def by_phase() -> list[dict[str, Any]]:
    """The hold at 200 users, a quarter of it in recovery."""
    return [
        {
            "phase": phase,
            "length_s": length_s,
            "requests": requests,
            "bad": bad,
            "unfinished": 0,
            "outcomes": outcomes(requests, bad),
            "error_ratio": error_ratio(requests, bad),
            "latency": latency(200, factor),
        }
        for phase, length_s, requests, bad, factor in (
            ("hold", 4.5, 1_803, 4, 0.98),
            ("recovery", 1.5, 585, 3, 1.06),
        )
    ]


def steady(*, unsteady: bool) -> dict[str, Any]:
    """What the halves of a hold say."""
    why = "the halves of the hold differ: median latency rose by 14 %; its first 1.5 s look like"
    return {
        "verdict": "failed" if unsteady else "passed",
        "why": f"{why} warm-up" if unsteady else "the halves of the hold differ by less than 10%",
        "latency": estimate(*(0.14, 0.11, 0.17) if unsteady else (0.01, -0.02, 0.04), unit="ratio"),
        "throughput": estimate(0.0, -0.03, 0.03, unit="ratio"),
        "warmup_s": estimate(1.5 if unsteady else None, unit="s", why="a rule of thumb"),
    }


def drifts() -> list[dict[str, Any]]:
    """A measure of each fate."""
    few = "not enough data: 6 bins, at least 60 are needed"
    none = estimate(None, unit="ratio", why=few)
    common = {"subject": "all", "hold": [44.0, 50.0], "span": [44.0, 50.0], "width_s": 1.0}
    return [
        {
            **common,
            "metric": "p(95)",
            "level": estimate(None, unit="ms", why=few),
            "over_hold": none,
            "slope_per_h": none,
            "exhausted_s": None,
            "verdict": "inconclusive",
            "why": few,
        },
        {
            **common,
            "metric": "throughput",
            "level": estimate(398.0, unit="1/s", why=SEEN),
            "over_hold": estimate(-0.004, -0.011, 0.003, unit="ratio"),
            "slope_per_h": estimate(-2.4, -6.6, 1.8, unit="ratio"),
            "exhausted_s": None,
            "verdict": "passed",
            "why": "no drift that matters: fell by less than 1.1 % over the hold of 6 s",
        },
        {
            **common,
            "metric": "memory",
            "level": estimate(213.0, unit="MiB", why=SEEN),
            "over_hold": estimate(0.084, 0.071, 0.098, unit="ratio"),
            "slope_per_h": estimate(50.4, 42.6, 58.8, unit="ratio"),
            "exhausted_s": estimate(2760.0, 2366.0, 3265.0, unit="s"),
            "verdict": "failed",
            "why": "grew by 8.4 % over the hold of 6 s (7.1 to 9.8 %); used up in 46 min if it "
            "goes on like this",
        },
    ]


def phases() -> list[dict[str, Any]]:
    """The beginning of the run."""
    return [
        {"phase": "warm-up", "stage": None, "start_s": 0.0, "end_s": 2.0},
        {"phase": "ramp", "stage": 0, "start_s": 2.0, "end_s": 3.0},
        {"phase": "settle", "stage": 0, "start_s": 3.0, "end_s": 4.0},
        {"phase": "hold", "stage": 0, "start_s": 4.0, "end_s": 10.0},
    ]


def endpoint(index: int, name: str) -> dict[str, Any]:
    """One endpoint in one stage."""
    share = ENDPOINTS[name]
    requests = round(RATES[index] * 6 * share)
    bad = 4 if USERS[index] == 200 and name.startswith("POST") else 0
    return {"name": name, "stage": index, **part(requests, bad, USERS[index], share)}


IMPLIED = "added: a latency budget always comes with error_ratio < 1%"
SEEN = "what was seen in this run: a statement about it has no interval"
LOST = {
    "code": "generator_saturated",
    "stage": 6,
    "message": "stage 7: the generator did not keep up: a process used 91% of its core; "
    "allowed: 85%",
    "measured": 0.91,
    "limit": 0.85,
    "advice": "give the generator more processes or cores of its own, or ask for less load",
}


def budget(subject: str, assertion: str, verdict: str, **more: Any) -> dict[str, Any]:
    """One budget."""
    return {
        "subject": subject,
        "assertion": assertion,
        "measured": None,
        "share_beyond": None,
        "stage": 5,
        "verdict": verdict,
        "severity": "fail",
        "implied": None,
        "owner": "head of sales",
        "source": "contract: SLA 2026, section 3",
        "why": None,
    } | more


def beyond(value: float, low: float, high: float) -> dict[str, Any]:
    """A share of requests beyond a limit."""
    return estimate(value, low, high, unit="ratio", level=0.95, method="wilson")


def budgets() -> list[dict[str, Any]]:
    """Budgets of every fate."""
    p95, p99 = percentile(304.6, 0.012), percentile(331.2)
    return [
        budget(
            "all", "p(95) < 300ms", "failed", measured=p95, share_beyond=beyond(0.083, 0.064, 0.107)
        ),
        budget("all", "error_ratio < 1%", "passed", measured=error_ratio(2388, 7), implied=IMPLIED),
        budget(
            "all",
            "availability >= 97%",
            "passed",
            measured=estimate(47 / 48, unit="ratio", why=SEEN),
            stage=None,
        ),
        budget(
            "all",
            "capacity >= 200",
            "failed",
            measured=estimate(100.0, 100.0, 200.0, unit="users"),
            stage=None,
        ),
        budget(
            "GET /api/v1/customers",
            "p(95) < 500ms",
            "passed",
            measured=p95,
            share_beyond=beyond(0.0, 0.0, 0.0064),
        ),
        budget(
            "GET /api/v1/customers",
            "p(99) < 300ms",
            "warned",
            measured=p99,
            share_beyond=beyond(0.041, 0.024, 0.068),
            severity="warn",
        ),
        budget(
            "POST /api/v1/orders",
            "p(99) < 330ms",
            "inconclusive",
            measured=p99,
            share_beyond=beyond(0.0113, 0.0031, 0.0398),
            why="96 independent requests decide nothing; about 4 times as many would",
        ),
    ]


def scorecard() -> list[dict[str, Any]]:
    """Indicators against expectations."""
    return [
        {
            "criterion": "stability.response_time",
            "indicator": "p(95)",
            "expected": "< 300ms",
            "owner": "head of sales",
            "source": "contract: SLA 2026, section 3",
            "actual": percentile(304.6, 0.012),
            "difference": 4.6,
            "difference_percent": 100 * 4.6 / 300,
            "unit": "ms",
            "verdict": "failed",
            "next": "see where the time goes at the deciding stage",
        },
        {
            "criterion": "stability.availability",
            "indicator": "availability",
            "expected": ">= 97%",
            "owner": None,
            "source": None,
            "actual": estimate(47 / 48, unit="ratio", why=SEEN),
            "difference": 0.97 - 47 / 48,
            "difference_percent": 100 * (0.97 - 47 / 48) / 0.97,
            "unit": "ratio",
            "verdict": "passed",
            "next": "keep",
        },
        {
            "criterion": "scalability.user_growth",
            "indicator": "users carried within the budgets",
            "expected": ">= 200 users",
            "owner": "head of sales",
            "source": "the scenario's required load",
            "actual": estimate(100.0, 100.0, 200.0, unit="users"),
            "difference": 100.0,
            "difference_percent": 50.0,
            "unit": "users",
            "verdict": "failed",
            "next": "find the limit with: trueload capacity",
        },
    ]


def goodput(**lost: list[dict[str, Any]]) -> dict[str, Any]:
    """What became of the writes; none is lost unless some are given."""
    named = {
        name: {"count": len(lost.get(name, [])), "first": lost.get(name, [])}
        for name in ("absent", "doubled", "contradicted")
    }
    count = len(lost.get("absent", []))
    broken = [f"{len(writes)} writes are {name}" for name, writes in lost.items()]
    return {
        "assessed": True,
        "why": None,
        "asked_at": "2026-11-22T05:11:00.000+00:00",
        "duration_s": 0.21,
        "writes": 961,
        "acknowledged": 950,
        **named,
        "not_asked": 0,
        "without_row": 0,
        "stored": 950 - count,
        "replayed": 0,
        "unclear": 0,
        "refused": 4,
        "indeterminate": [
            {"outcome": "http_error", "stored": 0, "not_stored": 5},
            {"outcome": "unfinished", "stored": 1, "not_stored": 1},
        ],
        "invariants": {"checked": 19, "broken": [], "why": None, "fresh": True},
        "stage": 5,
        "throughput": around(39.2, "1/s"),
        "share": estimate(1.0, unit="ratio", why=SEEN),
        "broken": broken,
    }


def lost_write(number: int, name: str = "POST /api/v1/orders", found: int = 0) -> dict[str, Any]:
    """A write that is not as it was answered."""
    return {"id": f"1a2b3c-0-{number}", "name": name, "sent_s": 62.5, "found": found}


def transactions() -> list[dict[str, Any]]:
    """Two kinds of click of the stage that is shown."""
    kinds = (("portal_customer", "my_orders", 1_010, 1_010), ("sales_rep", "create_order", 96, 192))
    return [
        {
            "stage": 5,
            "persona": persona,
            "click": click,
            "count": count,
            "requests": requests,
            "bad": 1,
            "error_ratio": around(1 / count, "ratio"),
            "latency": {
                name: percentile(milliseconds)
                for name, milliseconds in (("p50", 260.1), ("p95", 611.0), ("p99", 702.4))
            },
        }
        for persona, click, count, requests in kinds
    ]


def mix_achieved() -> list[dict[str, Any]]:
    """Shares of two kinds of click, one of them not as intended."""
    kinds = (
        ("portal_customer", "my_orders", 1_010, 0.402, 0.428),
        ("sales_rep", "create_order", 96, 0.041, 0.0402),
    )
    return [
        {
            "stage": 5,
            "persona": persona,
            "click": click,
            "count": count,
            "intended": intended,
            "achieved": around(achieved, "ratio"),
            "difference_pp": 100 * (achieved - intended),
            "differs": click == "my_orders",
        }
        for persona, click, count, intended, achieved in kinds
    ]


def open_verdict() -> dict[str, Any]:
    """The sample as a run of the open model would write it."""
    verdict = sample_verdict() | {"model": "open", "load_unit": "arrivals/s", "think_scale": 1.0}
    verdict["question"] = "Does the CRM carry 200 arrivals/s within its latency budgets?"
    for part in (*verdict["stages"], *verdict["budgets"]):
        if part["stage"] is not None:
            part |= {"level": USERS[part["stage"]], "users": None, "rate": USERS[part["stage"]]}
    growth = verdict["scorecard"][-1]
    growth |= {"indicator": "arrivals/s carried within the budgets", "unit": "arrivals/s"}
    growth |= {"expected": ">= 200 arrivals/s"}
    for measured in (growth["actual"], verdict["budgets"][3]["measured"]):
        measured["unit"] = "arrivals/s"
    return verdict


def events() -> list[dict[str, Any]]:
    """Some of everything that can happen in a run."""
    return [
        {"t_s": 0.0, "kind": "run_started"},
        {"t_s": 20.004, "kind": "fault_injected", "fault": 0, "what": "freeze",
         "process": "server", "planned_s": 20.0, "pids": [7]},
        {"t_s": 24.006, "kind": "fault_cleared", "fault": 0, "what": "freeze",
         "process": "server", "planned_s": 24.0, "pids": [7]},
        {"t_s": 30.5, "kind": "fault_injected", "fault": 1, "what": "kill",
         "process": "worker", "planned_s": 30.0, "pids": [8]},
        {"t_s": 30.6, "kind": "fault_cleared", "fault": 1, "what": "kill",
         "process": "worker", "planned_s": 30.0, "pids": [9]},
        {"t_s": 30.6, "kind": "worker_lost", "pid": 8},
        {"t_s": 31.0, "kind": "worker_started", "pid": 9},
        {"t_s": 38.0, "kind": "worker_lost", "pid": 9},
        {"t_s": 44.0, "kind": "generator_lost", "process": 1, "reason": "signal 9"},
        {"t_s": 50.0, "kind": "extended", "stage": 5, "by_s": 10.0},
        {"t_s": 57.0, "kind": "stop_rule", "rule": "error_ratio > 50% for 10s"},
        {"t_s": 58.0, "kind": "stream_closed", "process": 0, "rows": 1, "requests": 1},
    ]  # fmt: skip


def sample_verdict() -> dict[str, Any]:
    """The whole document."""
    stages = [stage(index) for index in range(len(USERS))]
    requests = sum(part["requests"] for part in stages)
    return {
        "format": 1,
        "run": "2026-11-22T05-10-00_growth_1a2b3c",
        "scenario": "growth",
        "title": "User growth from tens to hundreds",
        "question": "Does the CRM carry 200 users within its latency budgets?",
        "model": "closed",
        "load_unit": "users",
        "ran_on": {"target": [1], "generators": [[0]]},
        "think_scale": 0.05,
        "mix": {"sales_rep": 5.0, "portal_customer": 6.0},
        "why": "all: p(95) < 300ms is broken at stage 5 (200 users); and 1 more",
        "on_inconclusive": None,
        "implied": [IMPLIED],
        "required": 200,
        "verdict": "failed",
        "exit_code": 99,
        "ended": {"why": "finished", "load_ended_s": 58.0, "complete": True},
        "totals": {
            "requests": requests,
            "bad": 48,
            "unfinished": 3,
            "outcomes": outcomes(requests, 48, 3),
        },
        "warnings": ["the target ran on the same machine as the generator"],
        "validity": {"valid": True, "reasons": []},
        "budgets": budgets(),
        "stages": stages,
        "endpoints": [endpoint(5, name) for name in ENDPOINTS],
        "transactions": transactions(),
        "mix_achieved": mix_achieved(),
        "scalability": {
            "model": "usl",
            "axis": "in_flight",
            "sigma": around(0.502, "", 0.02),
            "kappa": estimate(0.0, 0.0, 2.1e-5),
            "lambda": around(200.4, "1/s", 0.04),
            "peak": estimate(
                None,
                unit="requests",
                why="no level lies below the maximum by more than both intervals",
            ),
            "peak_throughput": estimate(
                None,
                unit="1/s",
                why="no level lies below the maximum by more than both intervals",
            ),
            "saturation": around(399.6, "1/s", 0.01),
            "asymptote": around(399.2, "1/s", 0.03),
            "capacity": {"last_pass": 100, "first_fail": 200},
            "demand": demand(),
            "levels": 6,
            "refused": None,
            "superlinear": None,
            "no_claim_beyond": 60.0,
            "models": models(),
            "chosen": "amdahl",
            "residuals": {
                "signs": "+-+--+",
                "runs_p": 0.9,
                "lack_of_fit_p": None,
                "worst_load": 1.15,
                "worst": -0.021,
                "bends_otherwise": False,
            },
            "band": {
                "load": [0.1, 1.0, 10.0, 30.0],
                "low": [30.0, 190.0, 360.0, 380.0],
                "high": [45.0, 210.0, 372.0, 395.0],
            },
        },
        "stability": {
            "availability": estimate(47 / 48, unit="ratio", why=SEEN),
            "by_requests": estimate(0.9993, 0.9989, 0.9996, unit="ratio"),
            "up_s": 47.0,
            "down_s": 1.0,
            "unknown_s": 0.0,
            "outages": [{"start_s": 41.0, "end_s": 42.0, "open": False}],
            "mttr": estimate(1.0, unit="s", why=SEEN),
            "mtbf": estimate(47.0, unit="s", why=SEEN),
            "phases": phases(),
            "drift": drifts(),
            "recovery": [recovery()],
            "bursts": [
                {
                    "start_s": 40.96,
                    "end_s": 43.1,
                    "bad": 21,
                    "requests": 24,
                    "outcomes": {"timeout": 15, "http_error": 6},
                    "during": "outage",
                }
            ],
        },
        "goodput": goodput(),
        "scorecard": scorecard(),
    }


def recovery() -> dict[str, Any]:
    """How the sample came back from its outage."""
    return {
        "kind": "outage",
        "what": "outage",
        "start_s": 40.97,
        "end_s": 42.03,
        "since_s": 40.97,
        "seen_until_s": 50.0,
        "level": 200,
        "window_s": 0.5,
        "hold_s": 5.0,
        "baseline": [[35.0, 40.97]],
        "band": {
            "p50_ms": 260.0,
            "p95_ms": 512.0,
            "goodput_rps": 396.0,
            "goodput_least_rps": 288.0,
            "bad_share": 0.0021,
            "windows": 11,
        },
        "signals": ["p50", "p95", "goodput"],
        "detected_by": ["p50", "goodput"],
        "detected_after": estimate(0.5, 0.0, 0.5, unit="s"),
        "recovery_time": estimate(2.5, 2.0, 2.5, unit="s"),
        "recovered_s": 43.47,
        "residual": {
            "p50": estimate(0.021, -0.04, 0.086, unit="ratio"),
            "p95": estimate(0.034, -0.06, 0.137, unit="ratio"),
            "goodput": estimate(-0.004, -0.02, 0.012, unit="ratio"),
        },
        "degraded": False,
        "loss": estimate(1.41, unit="s", why=SEEN),
        "lost": estimate(558.0, unit="requests", why=SEEN),
    }


def models() -> list[dict[str, Any]]:
    def model(name: str, rmse: float, aicc: float, off: float, **found: float) -> dict[str, Any]:
        return {
            "name": name,
            "coefficients": found,
            "rmse": rmse,
            "aicc": aicc,
            "held_out": off,
        }

    return [
        model("linear", 131.0, 64.5, 4.1, **{"lambda": 17.4}),
        model("amdahl", 3.2, 26.0, 0.021, **{"lambda": 200.4, "sigma": 0.502}),
        model("asymptotes", 21.4, 48.8, 0.06, response_s=0.0071, xmax=380.0),
        model("usl", 3.2, 61.9, 0.022, **{"lambda": 200.4, "sigma": 0.502, "kappa": 0.0}),
    ]


def demand() -> dict[str, Any]:
    cost = around(2.41, "ms", 0.02)
    return {
        "levels": [{"level": users, "demand": cost} for users in USERS],
        "service_demand": cost,
        "change": {"direction": "constant", "first": 2.45, "last": 2.41},
        "cores": 1,
        "workers": 1,
        "utilisation": estimate(0.962, unit="ratio", why=SEEN),
        "xmax": around(415.0, "1/s", 0.02),
    }


def sample_manifest() -> dict[str, Any]:
    """What the supervisor knew."""
    return {
        "format": 1,
        "run": "2026-11-22T05-10-00_growth_1a2b3c",
        "started": "2026-11-22T05:10:00+00:00",
        "target": {
            "app": "crm",
            "url": "http://127.0.0.1:8000",
            "server": "granian 2.8.7",
            "workers": 1,
            "threads": 4,
            "database": "sqlite",
            "customers": 20_000,
            "dataset_hash": "5f2c9b0e",
            "cores": [1],
        },
        "environment": {
            "cpu": "Example CPU at 3.0 GHz",
            "cores": 2,
            "memory_bytes": 8_589_934_592,
            "kernel": "6.1.0",
            "python": "3.11.7",
            "packages": {"locust": "2.47.0", "flask": "3.1.3"},
        },
        "generators": [
            {"process": 0, "clock": {"offset_us": 0, "uncertainty_us": 40}, "cores": [0]}
        ],
        "seeds": {"load": 7, "dataset": 1},
        "tags": {"commit": "0123abc", "branch": "main"},
    }
