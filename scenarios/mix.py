"""What the journeys come to: the intended mix of clicks and of requests.

A session is an absorbing Markov chain. With P the transitions between steps and s
the weights of ``start``, the mean number of visits to each step in a session solves
v = s + v P; as sessions follow each other without a pause, v over its sum is the
share of each step among a persona's clicks. A persona clicks once in a mean think
time, so at low load, where answers take no time beside it, the clicks of a mix of
users are shared out as users / mean think time.

References
----------
J. G. Kemeny, J. L. Snell, "Finite Markov Chains", 1960, chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.personas import END, START, Persona

Click = tuple[str, str]
"""A persona and a step of its journey."""


def visits(persona: Persona) -> dict[str, float]:
    """Count how often each step is done in a session, on average.

    Parameters
    ----------
    persona : Persona
        With its journey.

    Returns
    -------
    dict of str to float
        Clicks per session, in the order of the steps.
    """
    steps = list(persona.steps)
    first = transitions(persona, START)
    rows = {step: transitions(persona, step) for step in steps}
    # v_j - sum_i v_i P_ij = s_j
    matrix = [[float(i == j) - rows[i].get(j, 0.0) for i in steps] for j in steps]
    return dict(zip(steps, _solve(matrix, [first.get(j, 0.0) for j in steps]), strict=True))


def transitions(persona: Persona, step: str) -> dict[str, float]:
    """Give the chances of what follows a step, ``end`` left out.

    Parameters
    ----------
    persona : Persona
        With its journey.
    step : str
        A step, or ``start``.

    Returns
    -------
    dict of str to float
        They add up to 1, less the chance of an end.
    """
    row = persona.journey[step]
    total = sum(row.values())
    return {to: weight / total for to, weight in row.items() if to != END}


def stationary(persona: Persona) -> dict[str, float]:
    """Share of each step among a persona's clicks, over many sessions.

    Parameters
    ----------
    persona : Persona
        With its journey.

    Returns
    -------
    dict of str to float
        They add up to 1.
    """
    clicks = visits(persona)
    total = sum(clicks.values())
    return {step: count / total for step, count in clicks.items()}


def mean_think_s(persona: Persona) -> float:
    """Mean think time before a click of a persona.

    Parameters
    ----------
    persona : Persona
        With its journey.

    Returns
    -------
    float
        Seconds, over the stationary distribution of its steps.
    """
    shares = stationary(persona)
    return sum(share * persona.think_before_s(step) for step, share in shares.items())


def users_think_s(
    personas: Mapping[str, Persona], mix: Mapping[str, float], think_scale: float
) -> float:
    """Mean think time over the virtual users of a mix.

    For the length of a settle. Little's law takes each click's own think time
    instead: quick personas click more often than their share of the users.

    Parameters
    ----------
    personas : mapping of str to Persona
        Those that the mix names.
    mix : mapping of str to float
        Personas and weights (shares of users).
    think_scale : float
        Factor on every think time.

    Returns
    -------
    float
        Seconds.
    """
    total = sum(mix.values())
    return think_scale * sum(
        weight * mean_think_s(personas[name]) / total for name, weight in mix.items()
    )


def open_weights(personas: Mapping[str, Persona], mix: Mapping[str, float]) -> dict[str, float]:
    """Share of each persona among the clicks of a mix.

    In the open model these are the shares of arrivals: it then asks for the same mix
    of clicks as the closed one does at low load.

    Parameters
    ----------
    personas : mapping of str to Persona
        Those that the mix names.
    mix : mapping of str to float
        Personas and weights (shares of users).

    Returns
    -------
    dict of str to float
        They add up to 1.
    """
    rates = {name: weight / mean_think_s(personas[name]) for name, weight in mix.items()}
    total = sum(rates.values())
    return {name: rate / total for name, rate in rates.items()}


def intended_mix(personas: Mapping[str, Persona], mix: Mapping[str, float]) -> dict[Click, float]:
    """Share of each click that a mix of users intends, at low load.

    Parameters
    ----------
    personas : mapping of str to Persona
        Those that the mix names.
    mix : mapping of str to float
        Personas and weights (shares of users).

    Returns
    -------
    dict of (str, str) to float
        By persona and step; they add up to 1.
    """
    return {
        (name, step): share * part
        for name, share in open_weights(personas, mix).items()
        for step, part in stationary(personas[name]).items()
    }


def intended_requests(
    personas: Mapping[str, Persona], mix: Mapping[str, float]
) -> dict[str, float]:
    """Share of each endpoint among the requests that a mix of users intends, at low load.

    What is asked first by who does not know yet what a step is about is not in it.

    Parameters
    ----------
    personas : mapping of str to Persona
        Those that the mix names.
    mix : mapping of str to float
        Personas and weights (shares of users).

    Returns
    -------
    dict of str to float
        By ``"METHOD /path"``; they add up to 1.
    """
    weights: dict[str, float] = {}
    for (name, step), share in intended_mix(personas, mix).items():
        for request in personas[name].steps[step].requests:
            weights[request] = weights.get(request, 0.0) + share
    total = sum(weights.values())
    return {request: weight / total for request, weight in weights.items()}


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a system of linear equations by elimination with partial pivoting."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for index in range(column + 1, size):
            factor = rows[index][column] / rows[column][column]
            rows[index] = [
                value - factor * above
                for value, above in zip(rows[index], rows[column], strict=True)
            ]
    solution = [0.0] * size
    for index in reversed(range(size)):
        known = sum(rows[index][later] * solution[later] for later in range(index + 1, size))
        solution[index] = (rows[index][size] - known) / rows[index][index]
    return solution
