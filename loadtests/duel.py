"""A duel: pairs of runs in randomised order, until it is known whether it has got worse.

::

    pair              both runs valid           one invalid or cut short
    judged            its ratio is taken        that run is made once more, at its place
    answered          the duel ends             invalid again: the duel ends without an answer

A run that was sent nothing of what is asked for is not made again: the load would be the same.
A run that the target, or what is configured, does not allow any more ends the duel as one without
a value does.

Both runs of a pair have the same seed of the load, drawn with the order: the same clicks
at the same times, so that what differs is the target and the machine. Another pair has
another one.
"""

from __future__ import annotations

import contextlib
import json
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.duel import Pair, Question, outcome, standing_of
from analysis.duel_reading import Reading, read
from analysis.duel_scorecard import scorecard_of
from analysis.functional_extension import changed_targets
from analysis.recording.format import MANIFEST
from analysis.report.duel import as_markdown, pair_line
from analysis.run_folders import DUEL
from loadtests.sides import Role, Side, same_system
from loadtests.supervisor import Interrupted
from scenarios.counting import count_of
from scenarios.errors import ExitCode, TrueloadError, UsageError

DOCUMENT, REPORT = DUEL, "duel.md"
ATTEMPTS = 2
"""An invalid run is made once more: what disturbed the machine may be over."""

SAME = "nothing that is set of the system differs: this compares it to itself"

_SEEDS = 2**32

RunOne = Callable[[Side, int], tuple[Path, dict[str, Any]]]
"""Runs and judges a side's scenario under a seed of the load: its folder and verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What was drawn for one pair."""

    order: tuple[Role, Role]
    load_seed: int


def draw(pairs: int, seed: int) -> list[Lot]:
    """Draw the order of each pair, and the seed of its load.

    Parameters
    ----------
    pairs : int
        How many.
    seed : int
        Of the randomisation.

    Returns
    -------
    list of Lot
        All of them, before the first run.
    """
    lot = random.Random(seed)  # noqa: S311 - fair and repeatable is what is needed
    orders = ((Role.BASE, Role.CANDIDATE), (Role.CANDIDATE, Role.BASE))
    return [
        Lot(order=orders[lot.getrandbits(1)], load_seed=lot.randrange(_SEEDS)) for _ in range(pairs)
    ]


@dataclass(slots=True, kw_only=True)
class Duel:
    """A duel as it goes on.

    Attributes
    ----------
    sides : mapping of Role to Side
        Base and candidate.
    question : Question
        As it was declared.
    seed : int
        Of the randomisation.
    folder : Path
        Where its runs lie, and what it says.
    run_one : callable
        Makes a run.
    say : callable
        Told of each pair.
    on_inconclusive : str or None
        ``"pass"`` or ``"fail"``: what an inconclusive duel exits with.
    """

    sides: Mapping[Role, Side]
    question: Question
    seed: int
    folder: Path
    run_one: RunOne
    say: Callable[[str], None]
    on_inconclusive: str | None = None
    group: str = field(default_factory=lambda: secrets.token_hex(3))
    pairs: list[Pair] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    ended: str = ""
    interrupted: bool = False
    invalid: bool = False
    without: list[tuple[str, str]] = field(default_factory=list)

    def fight(self) -> dict[str, Any]:
        """Make pairs until the answer is known, or all are made.

        Returns
        -------
        dict
            As written to duel.json and told in duel.md.

        Raises
        ------
        TrueloadError
            When no run could be made, or a later one for a reason that is neither the
            target's nor of the configuration; what was found until then is written and named.
        """
        began = time.monotonic()
        try:
            self._make_pairs()
        except (Interrupted, KeyboardInterrupt):
            self.interrupted = True
        except TrueloadError as error:
            self.ended = f"a run could not be made: {error.message}"
            if not self.runs:
                with contextlib.suppress(OSError):
                    self.folder.rmdir()  # where nothing came of it
                raise
            if not isinstance(error, UsageError):  # bad usage is what nothing was sent for
                self._write(began)
                self.say(f"what was made until then: {self.folder / DOCUMENT}")
                raise
        if self.interrupted:
            self.ended = f"interrupted after {count_of(len(self.pairs), 'pair')}"
        return self._write(began)

    def _make_pairs(self) -> None:
        for number, lot in enumerate(draw(self.question.rules.pairs, self.seed), start=1):
            pair = self._pair(number, lot)
            if pair is None:
                return
            self.pairs.append(pair)
            standing = standing_of(self.pairs, self.question)
            self.say(pair_line(pair, standing, self.question))
            if standing.is_over:
                return

    def _pair(self, number: int, lot: Lot) -> Pair | None:
        """Make both runs of a pair; None where one gave no value."""
        values: dict[Role, float] = {}
        verdicts: dict[Role, dict[str, Any]] = {}
        for role in lot.order:
            reading, verdicts[role] = self._reading(number, role, lot.load_seed)
            if reading.value is None:
                return None
            values[role] = reading.value
        return Pair(
            number=number,
            first=str(lot.order[0]),
            load_seed=lot.load_seed,
            base=values[Role.BASE],
            candidate=values[Role.CANDIDATE],
            base_run=verdicts[Role.BASE],
            candidate_run=verdicts[Role.CANDIDATE],
        )

    def _reading(self, number: int, role: Role, load_seed: int) -> tuple[Reading, dict[str, Any]]:
        """Make a run, and once more where it gives no value."""
        for attempt in range(1, ATTEMPTS + 1):
            folder, verdict = self.run_one(self.sides[role], load_seed)
            reading = read(verdict, self.question.metric, self.question.subject)
            self._note(folder, number, role, verdict, reading)
            if verdict["exit_code"] == ExitCode.INTERRUPTED:
                self.interrupted = True
                return Reading(why="interrupted"), verdict
            if reading.value is not None:
                break
            if not reading.invalid:
                self.without.append((str(role), reading.why))
            more = attempt < ATTEMPTS and not reading.absent
            again = "; it is made once more" if more else ""
            self.say(f"pair {number}: the {role}'s run gives no value: {reading.why}{again}")
            if not more:
                times = "" if reading.absent else f" {ATTEMPTS} times"
                self.ended = f"the {role}'s run gave no value{times}: {reading.why}"
                self.invalid = reading.invalid
                break
        return reading, verdict

    def _note(
        self,
        folder: Path,
        number: int,
        role: Role,
        verdict: Mapping[str, Any],
        reading: Reading,
    ) -> None:
        """Note what a run is in the duel, here and in its manifest."""
        sequence = len(self.runs) + 1
        self.runs.append(
            {
                "sequence": sequence,
                "pair": number,
                "role": str(role),
                "folder": folder.name,
                "verdict": verdict["verdict"],
                "value": reading.value,
                "why": reading.why,
            }
        )
        path = folder / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest |= {"group": self.group, "role": str(role), "sequence": sequence, "pair": number}
        _write(path, manifest)

    def _write(self, began: float) -> dict[str, Any]:
        scenario, other = (self.sides[role].scenario for role in Role)
        found = outcome(
            self.pairs,
            self.question,
            ended=self.ended,
            interrupted=self.interrupted,
            invalid=self.invalid,
            without=self.without,
            on_inconclusive=self.on_inconclusive,
        )
        changed = changed_targets(scenario.target, other.target)
        document = found | {
            "scorecard": scorecard_of(found, self.question, changed, owner=scenario.owner),
            "duel": self.group,
            "scenario": scenario.name,
            "title": scenario.title,
            "sides": {str(role): side.spec.words for role, side in self.sides.items()},
            "seed": self.seed,
            "time_s": time.monotonic() - began,
            "exhausted": len(self.pairs) == self.question.rules.pairs,
            "runs": self.runs,
            "notes": [SAME] if same_system(*(self.sides[role] for role in Role)) else [],
        }
        _write(self.folder / DOCUMENT, document)
        (self.folder / REPORT).write_text(as_markdown(document), encoding="utf-8")
        return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    beside = path.with_suffix(".json.part")
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.rename(path)
