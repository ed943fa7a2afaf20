"""Validity of a run, asked before any verdict, stage by stage: was the load delivered and seen.

Invalid means that the *harness* cannot say; what the target did is never a reason.
What cannot be assessed is said as a note and never taken as fine.

==================== ====================================================== =======
code                 cause                                                  module
==================== ====================================================== =======
no_data              a budget's subject was sent no request                 here
load_not_delivered   users or arrivals fell short of those asked, or unseen delivery
generator_saturated  the generator's CPU, loop or sends were late           delivery
records_lost         rows written, counted and read differ                  records
clock_stepped        the wall clock jumped                                  records
generator_lost       a generator process died                               records
littles_law          N and X(R+Z) differ                                    littles_law
==================== ====================================================== =======
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.delivery import load_delivered, not_saturated
from analysis.littles_law import littles_law
from analysis.reasons import Finding, Reason
from analysis.recording.reader import Recording
from analysis.records import clock_steady, connections_made, generators_kept, records_complete
from analysis.windows import Hold
from scenarios.assertions import Severity
from scenarios.model import Budget

_MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """What was found wrong with a run as a measurement.

    Attributes
    ----------
    reasons : tuple of Reason
        Everything that makes a stage, or with stage None the run, invalid.
    notes : tuple of str
        What was not assessed, and what is odd but does no harm.
    required : float
        The load up to which a reason counts for the run.
    counting : frozenset of int
        The stages up to it.
    """

    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    required: float
    counting: frozenset[int]

    def of_stage(self, stage: int) -> tuple[Reason, ...]:
        """Reasons that concern one stage.

        Parameters
        ----------
        stage : int
            Index of the stage.

        Returns
        -------
        tuple of Reason
            Those that name it.
        """
        return tuple(reason for reason in self.reasons if reason.stage == stage)

    @property
    def of_run(self) -> tuple[Reason, ...]:
        """Reasons that name no stage: of records that were lost, nobody knows where."""
        return tuple(reason for reason in self.reasons if reason.stage is None)

    @property
    def harmful(self) -> tuple[Reason, ...]:
        """Reasons that count for the run: of stages up to `required`, or of the whole run."""
        return tuple(
            reason
            for reason in self.reasons
            if reason.stage is None or reason.stage in self.counting
        )

    @property
    def broken(self) -> tuple[Reason, ...]:
        """Harmful reasons that concern every budget: all but a subject without requests."""
        return tuple(reason for reason in self.harmful if reason.code != "no_data")


def assess(recording: Recording, holds: Sequence[Hold], budgets: Sequence[Budget]) -> Validity:
    """Assess a run, stage by stage.

    Parameters
    ----------
    recording : Recording
        The run.
    holds : sequence of Hold
        Every stage's hold, with its requests.
    budgets : sequence of Budget
        Whose subjects must have been sent requests.

    Returns
    -------
    Validity
        Reasons and notes.
    """
    required = recording.scenario.load.required
    findings = [
        generators_kept(recording),  # first, for the others follow from it
        records_complete(recording),
        clock_steady(recording),
        connections_made(recording),
    ]
    for hold in holds:
        if hold.window.was_run:
            findings += [
                load_delivered(recording, hold),
                not_saturated(recording, hold),
                littles_law(recording.scenario, hold),
                _has_data(hold, budgets, required),
            ]
    return Validity(
        reasons=tuple(reason for finding in findings for reason in finding.reasons),
        notes=tuple(note for finding in findings for note in finding.notes),
        required=required,
        counting=frozenset(h.window.stage for h in holds if h.window.level <= required),
    )


def _has_data(hold: Hold, budgets: Sequence[Budget], required: float) -> Finding:
    """Look for subjects without requests; below the required stage that is only a note.

    In a stage that was cut short it is one too: the subject's turn might still have come.
    """
    window = hold.window
    if window.level > required:
        return Finding()
    reasons, notes = [], []
    subjects = {b.subject: b for b in budgets if b.assertion.severity is Severity.FAIL}
    watched = {b.subject for b in budgets} - set(subjects)
    for subject in (*subjects, *sorted(watched)):
        about = hold.about(subject)
        # When every user waits in a request sent before the hold, the target is to blame.
        if len(about.samples) or (subject == "all" and len(hold.opened("name"))):
            continue
        message = (
            f"stage {window.stage + 1} ({window.named}): {subject} was sent no request "
            f"in the {window.length_s:.3g} s of the hold"
        )
        if window.level < required or subject in watched or not window.complete:
            notes.append(message)
            continue
        reasons.append(
            Reason(
                code="no_data",
                stage=window.stage,
                message=message,
                measured=0.0,
                limit=1.0,
                advice=f"hold longer, or mend the budget's subject; requested were: {_named(hold)}",
            )
        )
    return Finding(reasons=tuple(reasons), notes=tuple(notes))


def _named(hold: Hold) -> str:
    names = sorted(str(name) for name in hold.opened("name")["name"].unique())
    return ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "") or "none"
