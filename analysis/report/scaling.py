"""How throughput grew with load, in words and rows: of a run, and of somebody's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.demand import BY_WORKERS
from analysis.report.cores import cores_of_target
from analysis.report.load_names import people_of
from analysis.report.tables import Document
from analysis.report.typography import clean
from analysis.report.words import number, percent, quantity, say
from scenarios.counting import with_unit

MODELS = {
    "linear": ("a line", "λN"),
    "amdahl": ("Amdahl's law", "λN / (1 + σ(N-1))"),
    "asymptotes": ("the bounds of a closed queue", "min(N/R, Xmax)"),
    "usl": ("the Universal Scalability Law", "λN / (1 + σ(N-1) + κN(N-1))"),
}
"""Names of the models, and what they say of throughput."""

_SYMBOLS = {"lambda": "λ", "sigma": "σ", "kappa": "κ", "response_s": "R", "xmax": "Xmax"}
_UNITS = {"lambda": "1/s", "response_s": "s", "xmax": "1/s"}

UNEXPLAINED = 1.25
"""Factor by which the CPU must allow more than was seen for its limit to be another one."""

CLOSER = 2.0
"""Factor by which another model must be nearer for the law to be called a poor description."""

_ALONE = {"in_flight": "of one request in flight", "users": "of one user"}


def coefficients_of(fit: Document) -> list[tuple[str, str, str]]:
    """Name the coefficients of the law and say what they mean for the loads of a fit.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json, or a fitted table.

    Returns
    -------
    list of (str, str, str)
        Key in the document, symbol, meaning.
    """
    alone = _ALONE.get(str(fit.get("axis")), "at a load of 1")
    return [
        ("lambda", "λ", f"throughput {alone}"),
        ("sigma", "σ", "contention: the share that waits for its turn"),
        ("kappa", "κ", "coherency: the cost of agreeing; only it makes a peak"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """A model beside the others.

    Attributes
    ----------
    name, formula, coefficients : str
        In words and symbols.
    error, aicc, held_out : str
        Root mean square of the residuals, Akaike's criterion, and how far off it is at
        the top levels when they are kept from it.
    chosen : bool
        Whether the data support it best.
    """

    name: str
    formula: str
    coefficients: str
    error: str
    aicc: str
    held_out: str
    chosen: bool


def model_rows(fit: Document) -> list[ModelRow]:
    """Lay the models beside each other.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json.

    Returns
    -------
    list of ModelRow
        Empty where nothing was fitted.
    """
    return [
        ModelRow(
            name=MODELS[model["name"]][0],
            formula=MODELS[model["name"]][1],
            coefficients=", ".join(
                f"{_SYMBOLS[name]} {quantity(value, _UNITS.get(name, ''))}"
                for name, value in model["coefficients"].items()
            ),
            error=quantity(model["rmse"], "1/s"),
            aicc="-" if model["aicc"] is None else f"{model['aicc']:.1f}",
            held_out="-" if model["held_out"] is None else percent(model["held_out"]),
            chosen=model["name"] == fit.get("chosen"),
        )
        for model in fit.get("models") or ()
    ]


def loads_of(fit: Document) -> str:
    """Name what the loads of a fit are.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json, or a fitted table.

    Returns
    -------
    str
        ``"in flight"``, ``"users"``, or nothing where nobody knows.
    """
    return {"in_flight": "in flight", "users": "users"}.get(str(fit.get("axis")), "")


def limit_words(fit: Document, on: str = "") -> str:
    """Say whether throughput has a peak, saturates, or met no limit.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json, not refused.
    on : str
        Where, with a space before it.

    Returns
    -------
    str
        One sentence.
    """
    peak, saturation = say(fit.get("peak")), say(fit.get("saturation"))
    loads = loads_of(fit)
    place = f" {loads}" if loads == "in flight" else ""
    if (fit.get("peak") or {}).get("value") is not None:
        high = fit.get("peak_throughput") or {}
        top = f" of {say(high)}" if high.get("value") is not None else ""
        at = "load " if not loads else ""
        return (
            f"Throughput has a peak{top} at {at}{peak}{place}{on}: beyond it, more load gives "
            "less work."
        )
    if (fit.get("saturation") or {}).get("value") is not None:
        return f"Throughput saturates at {saturation}{on}: more load only waits longer."
    return f"No limit of throughput was reached{on} ({saturation.why or peak.why})."


def fit_words(fit: Document) -> list[str]:
    """Judge the fit: the model that the data support, and how the law misses them.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json.

    Returns
    -------
    list of str
        Sentences; empty where nothing was fitted.
    """
    check, rows = fit.get("residuals"), model_rows(fit)
    if fit.get("refused") or not check or not rows:
        return []
    chosen = next((row for row in rows if row.chosen), rows[-1])
    foretold = (
        f"; it is off by {chosen.held_out} at the top two levels when they are kept from it"
        if chosen.held_out != "-"
        else ""
    )
    peak = fit.get("peak") or fit.get("peak_load") or {}
    if peak.get("value") is not None:
        said = [
            f"Throughput was seen to fall beyond a peak, and of {len(rows)} models only "
            f"{chosen.name} can{foretold}."
        ]
    else:
        said = [f"Of {len(rows)} models the data support {chosen.name} best{foretold}."]
    law = fit["models"][-1]
    best = next((m for m in fit["models"] if m["name"] == fit.get("chosen")), law)
    if best["rmse"] < law["rmse"] / CLOSER:
        said.append(
            f"The Universal Scalability Law misses them by {quantity(law['rmse'], '1/s')}, that "
            f"model by {quantity(best['rmse'], '1/s')}: the law's coefficients describe little."
        )
    worst = (
        f"at most {percent(abs(check['worst']))} "
        f"{'below' if check['worst'] < 0 else 'above'} it, at {number(check['worst_load'])}"
    )
    if check["bends_otherwise"]:
        said.append(
            f"The data bend otherwise than the Universal Scalability Law (measured above it and "
            f"below it, by load: {check['signs']}; {worst}): do not trust its coefficients."
        )
    elif set(check["signs"]):
        said.append(
            "No pattern in what the Universal Scalability Law leaves over is beyond chance "
            f"(measured above it and below it, by load: {check['signs']}; {worst})."
        )
    else:
        said.append("The Universal Scalability Law meets every level.")
    if fit.get("superlinear"):
        said.append(f"{_sentence(clean(fit['superlinear']))}")
    if fit.get("no_claim_beyond") is not None:
        said.append(f"Nothing is claimed beyond {number(fit['no_claim_beyond'])} {_unit(fit)}.")
    return said


def _unit(fit: Document) -> str:
    loads = loads_of(fit)
    return loads or "(twice the highest load)"


def demand_words(demand: Document | None) -> str:
    """Say what a request costs, and which throughput the cores allow.

    Parameters
    ----------
    demand : mapping or None
        ``scalability.demand`` of verdict.json.

    Returns
    -------
    str
        Empty where nobody looked at the target's CPU.
    """
    if not demand or (demand.get("service_demand") or {}).get("value") is None:
        return ""
    cost, change = demand["service_demand"], demand.get("change")
    if change is None:
        said = f"A request costs {say(cost)} of CPU"
    elif change["direction"] == "constant":
        said = f"A request costs {say(cost)} of CPU at every load"
    else:
        more = "more" if change["direction"] == "rises" else "less"
        said = (
            f"Each request costs {more} CPU at higher load: from {quantity(change['first'], 'ms')} "
            f"to {quantity(change['last'], 'ms')}"
        )
    most = demand.get("xmax") or {}
    if most.get("value") is None:
        return f"{said} (utilisation law)."
    of_workers = str(most.get("method") or "").startswith(BY_WORKERS)
    cores, workers = demand.get("cores"), demand.get("workers")
    named = _these(workers, "server process", "es") if of_workers else _these(cores, "core", "s")
    allow = "allows" if (workers if of_workers else cores) == 1 else "allow"
    busy = demand.get("utilisation") or {}
    of = "it was" if cores == 1 else "them were"
    if of_workers:
        of = f"{_these(cores, 'core', 's')} {'was' if cores == 1 else 'were'}"
    at = f"; at the highest load {say(busy).value} of {of} used" if busy.get("value") else ""
    return f"{said}: {named} {allow} at most {say(most)} (utilisation law){at}."


def _these(how_many: int | None, noun: str, plural: str) -> str:
    return f"its {noun}" if how_many == 1 else f"its {how_many} {noun}{plural}"


def idle_words(fit: Document) -> str:
    """Say so where throughput met a limit that the CPU does not explain.

    Parameters
    ----------
    fit : mapping
        ``scalability`` of verdict.json.

    Returns
    -------
    str
        Empty where there is no such limit, or where the CPU allows no more.
    """
    limit = fit.get("saturation") or {}
    if limit.get("value") is None:
        limit = fit.get("peak_throughput") or {}
    allowed = ((fit.get("demand") or {}).get("xmax") or {}).get("low")
    most = limit.get("high") or limit.get("value")
    if not allowed or not most or allowed <= UNEXPLAINED * most:
        return ""
    return (
        f"The limit lies below what the target's CPU allows ({quantity(allowed, '1/s')} and more): "
        "look for a lock, a pool, or a wait; or for others that took its cores."
    )


def scalability_words(verdict: Document) -> list[str]:
    """Say how throughput grew with load in a run.

    Parameters
    ----------
    verdict : mapping
        The document.

    Returns
    -------
    list of str
        Sentences; the refusal in words where nothing was fitted.
    """
    fit = verdict.get("scalability") or {}
    where = cores_of_target(verdict)
    users, on = people_of(verdict), f" {where}" if where else ""
    tried = sorted({stage["level"] for stage in verdict.get("stages") or ()})
    said = [_capacity_words(fit.get("capacity") or {}, tried, f"{users}{on}")]
    if fit.get("refused"):
        said.append(f"The scalability law was not fitted: {clean(fit['refused'])}.")
    elif fit:
        said.append(limit_words(fit, on))
    said += [demand_words(fit.get("demand")), idle_words(fit)]
    return [sentence for sentence in said if sentence]


def _capacity_words(capacity: Document, tried: Sequence[float], users: str) -> str:
    passed, failed = capacity.get("last_pass"), capacity.get("first_fail")
    if passed is None:
        if failed is None:
            return ""
        lowest = with_unit(failed, users)
        return f"Already the lowest load that was decided, {lowest}, broke a budget."
    between = [load for load in tried if load > passed and (failed is None or load < failed)]
    if failed is None and not between:
        return f"Every load that was tried met the budgets, the highest {with_unit(passed, users)}."
    bounds = f"at least {with_unit(passed, users)}"
    if failed is not None:
        bounds = f"at least {passed:,.6g} and below {with_unit(failed, users)}"
    loads = ", ".join(f"{load:,.6g}" for load in between)
    rest = f"{loads} could not be decided" if between else "nothing between was tried"
    return f"Capacity within the budgets: {bounds}; {rest}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
