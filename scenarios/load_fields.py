"""Reads the table ``[load]``: how much, by whom, for how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from scenarios.fields import Fields
from scenarios.model import Load, Stage
from scenarios.personas import Persona

MAX_USERS = 100_000
MAX_RATE = 100_000.0

_LEAST_POOL, _MOST_POOL = 50, 5_000
_POOL_LIMIT_S = 1.0
"""Response time for which there are enough users where no budget states a limit."""


def read_load(fields: Fields, folder: Path | None, personas: Mapping[str, Persona]) -> Load:
    """Read and check the table ``[load]``.

    Parameters
    ----------
    fields : Fields
        The table; mistakes are noted there.
    folder : Path or None
        Where a relative locustfile is looked for; None does not look for it.
    personas : mapping of str to Persona
        Whom a mix may name.

    Returns
    -------
    Load
        With defaults where a key is absent or wrong; `max_users` of the open model
        is 0 where the scenario does not say: see :func:`default_pool`.
    """
    model = fields.choice("model", ("closed", "open"), default="closed")
    is_open = model == "open"
    stages = _stages(fields, is_open=is_open)
    locustfile = _locustfile(fields, folder)
    mix = _mix(fields, personas, has_locustfile=locustfile is not None)
    highest = max((stage.level for stage in stages), default=1)
    timeout_s = fields.duration("timeout", default=10.0, low=1e-3)
    load = Load(
        model=model,
        arrivals=_arrivals(fields, is_open=is_open),
        stages=stages or (Stage(level=1, hold_s=1.0),),
        required=_required(fields, stages, highest),
        mix=mix,
        locustfile=locustfile,
        think_scale=_think_scale(fields, is_open=is_open, has_locustfile=locustfile is not None),
        warmup_s=fields.duration("warmup", default=0.0),
        settle_s=fields.duration("settle", default=None),
        timeout_s=timeout_s,
        connect_timeout_s=_connect_timeout(fields, timeout_s),
        max_users=_max_users(fields, highest, is_open=is_open),
        extend_s=fields.duration("extend", default=0.0),
        seed=fields.whole("seed", default=0, low=0, high=2**32 - 1) if "seed" in fields else None,
    )
    fields.no_more()
    return load


def _stages(fields: Fields, *, is_open: bool) -> tuple[Stage, ...]:
    key, other = ("rate", "users") if is_open else ("users", "rate")
    example = f'{{ {key} = 50, hold = "20s" }}'
    stages = []
    for stage in fields.tables("stages", allowed=f"at least one {example}"):
        before = len(stage.mistakes)
        if other in stage:
            stage.take(other)
            stage.mistake(other, f"{other} in the {'open' if is_open else 'closed'} model", key)
        level: float
        if is_open:
            level = stage.number("rate", default=0.0, low=1e-3, high=MAX_RATE)
            if level == 0 and len(stage.mistakes) == before:
                stage.mistake("rate", "nothing", "arrivals per second")
        else:
            missing = 1 if other in stage else None
            level = stage.whole("users", default=missing, low=1, high=MAX_USERS)
        hold_s = stage.duration("hold", default=None, low=1.0, required=True)
        ramp_s = stage.duration("ramp", default=0.0)
        stage.no_more()
        if len(stage.mistakes) == before:
            stages.append(Stage(level=level, hold_s=hold_s or 0.0, ramp_s=ramp_s or 0.0))
    return tuple(stages)


def _required(fields: Fields, stages: tuple[Stage, ...], highest: float) -> float:
    required = fields.take("required")
    levels = sorted({stage.level for stage in stages})
    if required is None or not stages:
        return highest
    if isinstance(required, bool) or required not in levels:
        allowed = ", ".join(f"{level:g}" for level in levels)
        fields.mistake("required", repr(required), f"the load of one of the stages: {allowed}")
        return highest
    return next(level for level in levels if level == required)


def _arrivals(fields: Fields, *, is_open: bool) -> str:
    if "arrivals" in fields and not is_open:
        fields.take("arrivals")
        fields.mistake("arrivals", "arrivals in the closed model", 'with model = "open" alone')
        return "poisson"
    return fields.choice("arrivals", ("poisson", "even"), default="poisson")


def _think_scale(fields: Fields, *, is_open: bool, has_locustfile: bool) -> float:
    scale = fields.number("think_scale", default=1.0, low=0.0, high=1000.0)
    if scale != 1 and is_open:
        fields.mistake(
            "think_scale", f"{scale:g} in the open model", "nothing: nobody thinks there"
        )
    elif scale != 1 and has_locustfile:
        fields.mistake("think_scale", f"{scale:g} beside a locustfile", "with a mix only")
    return scale


def _connect_timeout(fields: Fields, timeout_s: float) -> float:
    connect_s = fields.duration("connect_timeout", default=timeout_s, low=1e-3)
    if connect_s > timeout_s:
        fields.mistake(
            "connect_timeout", f"{connect_s:g} s", f"at most the timeout, {timeout_s:g} s"
        )
    return connect_s


def _max_users(fields: Fields, highest: float, *, is_open: bool) -> int:
    if is_open:
        return fields.whole("max_users", default=0, low=1, high=MAX_USERS)
    most = fields.whole("max_users", default=MAX_USERS, low=1, high=MAX_USERS)
    if highest > most:
        fields.mistake("max_users", str(most), f"at least the highest stage's {highest:g} users")
    return most


def _locustfile(fields: Fields, folder: Path | None) -> Path | None:
    text = fields.text("locustfile", default="")
    if not text:
        return None
    if folder is None:
        return Path(text)
    path = (folder / text).resolve()
    if not path.is_file():
        fields.mistake("locustfile", repr(text), f"a Python file (looked for {path})")
    return path


def _mix(
    fields: Fields, personas: Mapping[str, Persona], *, has_locustfile: bool
) -> dict[str, float]:
    table = fields.table("mix")
    if has_locustfile and table.keys():
        fields.mistake("mix", "a mix beside a locustfile", "one of the two")
    mix = {
        name: table.number(name, default=0.0, low=0.0, high=1e6)
        for name in table.keys()  # noqa: SIM118 - Fields is no mapping
        if name in personas or table.unknown(name, personas)
    }
    if not has_locustfile and not any(mix.values()) and not table.mistakes:
        known = ", ".join(personas)
        fields.mistake("mix", "no persona with a weight", f"weights for some of {known}")
    return {name: weight for name, weight in mix.items() if weight > 0}


def users_needed(load: Load, limit_s: float | None, personas: Mapping[str, Persona]) -> int:
    """Count the virtual users without whom arrivals could wait for a user of ours.

    By Little's law a pool of n users is exhausted at the rate a only when clicks take
    n / a on average. With this many users they then take longer than the latency
    limit allows: an arrival that waits, waits for the target.

    Parameters
    ----------
    load : Load
        Of the open model.
    limit_s : float or None
        The largest latency limit of the budgets, in seconds.
    personas : mapping of str to Persona
        Of the mix.

    Returns
    -------
    int
        Rate x limit x requests of the longest click.
    """
    longest = max(
        (len(step.requests) for name in load.mix for step in personas[name].steps.values()),
        default=1,
    )
    highest = max(stage.level for stage in load.stages)
    return math.ceil(highest * (limit_s or _POOL_LIMIT_S) * longest)


def default_pool(needed: int) -> int:
    """Choose how many virtual users there are where the scenario does not say.

    Parameters
    ----------
    needed : int
        As :func:`users_needed` counts them.

    Returns
    -------
    int
        As many, at least 50 and at most 5,000.
    """
    return min(max(needed, _LEAST_POOL), _MOST_POOL)
