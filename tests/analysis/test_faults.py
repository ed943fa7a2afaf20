"""Which faults a run had."""

from __future__ import annotations

from analysis.faults import FaultSpan, fault_spans

FREEZE = {"fault": 0, "what": "freeze", "process": "server"}
KILL = {"fault": 1, "what": "kill", "process": "worker"}


def test_faults_are_paired_by_their_number_and_may_never_end() -> None:
    events = [
        {"t_s": 0.0, "kind": "run_started"},
        {"t_s": 4.001, "kind": "fault_injected", **FREEZE, "planned_s": 4.0, "pids": [1]},
        {"t_s": 6.002, "kind": "fault_cleared", **FREEZE, "planned_s": 6.0, "pids": [1]},
        {"t_s": 9.0, "kind": "fault_injected", **KILL, "planned_s": 9.0, "pids": [2]},
    ]
    freeze, kill = fault_spans(events)

    assert freeze == FaultSpan(
        number=0, what="freeze", process="server", planned_s=4.0, start_s=4.001, end_s=6.002
    )
    assert (kill.start_s, kill.end_s) == (9.0, None)
    assert fault_spans([]) == []
