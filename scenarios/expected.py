"""How many requests a scenario will send, as far as it can be known before."""

from __future__ import annotations

from difflib import get_close_matches

from scenarios.mix import intended_mix, intended_requests, mean_think_s
from scenarios.model import Scenario
from scenarios.schedule import plan


def clicks_per_s(scenario: Scenario, level: float) -> float | None:
    """Clicks per second at a level of load, when nobody waits for an answer.

    Parameters
    ----------
    scenario : Scenario
        With a mix.
    level : float
        Virtual users, or arrivals per second.

    Returns
    -------
    float or None
        Users are shared out by their weights, and click once in a mean think time; None
        for a locustfile, and for users who do not think.
    """
    load = scenario.load
    if load.is_open:
        return level
    if not load.mix or load.think_scale == 0:
        return None
    total = sum(load.mix.values())
    per_user = sum(
        weight / total / mean_think_s(scenario.personas[name]) for name, weight in load.mix.items()
    )
    return level * per_user / load.think_scale


def expected_requests(scenario: Scenario, subject: str) -> float | None:
    """Count the requests about a subject in the required hold, when nobody waits for answers.

    Parameters
    ----------
    scenario : Scenario
        Any.
    subject : str
        ``"all"``, ``"METHOD endpoint"``, or an endpoint with any method.

    Returns
    -------
    float or None
        In the closed model at the most, since who waits does not click; None where it
        is not known.
    """
    span = plan(scenario).required_span(scenario.load.required)
    rate = requests_per_s(scenario, subject, span.level)
    return None if rate is None else rate * span.length_s


def requests_per_s(scenario: Scenario, subject: str, level: float) -> float | None:
    """Give the requests per second about a subject at a load, when nobody waits for answers.

    Parameters
    ----------
    scenario : Scenario
        Any.
    subject : str
        As :func:`expected_requests` takes it.
    level : float
        Virtual users, or arrivals per second.

    Returns
    -------
    float or None
        As :func:`clicks_per_s`, and None for a locustfile at any load.
    """
    clicks = clicks_per_s(scenario, level)
    if clicks is None or not scenario.load.mix:
        return None
    each = sum(
        share * sum(_is_about(request, subject) for request in requests)
        for (name, step), share in intended_mix(scenario.personas, scenario.load.mix).items()
        for requests in [scenario.personas[name].steps[step].requests]
    )
    return clicks * each


def _is_about(request: str, subject: str) -> bool:
    return subject in {"all", request, request.partition(" ")[2]}


def is_requested(scenario: Scenario, subject: str) -> bool:
    """Tell whether anybody requests what a budget is about, as far as it can be known.

    Parameters
    ----------
    scenario : Scenario
        Any.
    subject : str
        As :func:`expected_requests` takes it.

    Returns
    -------
    bool
        False where no step of the mix does; True for a locustfile, which decides itself.
    """
    load = scenario.load
    return not load.mix or any(
        share > 0 and _is_about(request, subject)
        for request, share in intended_requests(scenario.personas, load.mix).items()
    )


def nearest_request(scenario: Scenario, subject: str) -> str | None:
    """Find what a mix requests that is called nearly as a subject is.

    Parameters
    ----------
    scenario : Scenario
        With a mix.
    subject : str
        ``"METHOD endpoint"``, or an endpoint with any method.

    Returns
    -------
    str or None
        ``"METHOD endpoint"`` with a method, else the endpoint; None where nothing is near.
    """
    requests = list(intended_requests(scenario.personas, scenario.load.mix))
    if subject.startswith("/"):
        requests = [request.partition(" ")[2] for request in requests]
    return next(iter(get_close_matches(subject, requests, n=1)), None)
