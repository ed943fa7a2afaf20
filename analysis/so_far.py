"""A run that goes on, judged as though its load had ended a moment ago.

Used to decide whether the required stage is held on. The moment lies back by as long
as requests are followed at the end of a run, so that every request before it has been
followed as far as the final judgement would follow it.
"""

from __future__ import annotations

from dataclasses import replace

from analysis.recording.reader import Recording

CUT_OFF = "killed"
"""What has not ended has no last words in its records: that is no loss of records."""


def so_far(recording: Recording, *, stage: int, until_s: float) -> Recording | None:
    """Cut a recording off in the hold of a stage.

    Parameters
    ----------
    recording : Recording
        Of a run that goes on.
    stage : int
        Index of the stage; later ones are left out.
    until_s : float
        Seconds of run time.

    Returns
    -------
    Recording or None
        With the requests intended before, and a hold that was run to its end; None
        where the hold has not begun by then.
    """
    spans = [span for span in recording.schedule.spans if span.stage <= stage]
    held = spans[-1]
    if until_s <= held.hold_s:
        return None
    cut = replace(held, end_s=min(until_s, held.end_s))
    samples = recording.samples
    return replace(
        recording,
        schedule=replace(recording.schedule, spans=(*spans[:-1], cut)),
        samples=samples[(samples["intended_s"] < cut.end_s).to_numpy()],
        timeline=[line for line in recording.timeline if line.get("t_s", 0.0) <= cut.end_s],
        ended_s=cut.end_s,
        end_why=CUT_OFF,
    )
