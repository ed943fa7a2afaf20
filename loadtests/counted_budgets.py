"""Which budgets are counted while the load runs, for whoever watches."""

from __future__ import annotations

from scenarios.assertions import Metric
from scenarios.model import Budget, Scenario


def counted_budgets(scenario: Scenario) -> tuple[Budget, ...]:
    """Budgets on percentiles: a share of requests beyond a limit can be counted on.

    Parameters
    ----------
    scenario : Scenario
        What is run.

    Returns
    -------
    tuple of Budget
        In the scenario's order, which is that of ``budgets`` in each line of the timeline.
    """
    metrics = {Metric.PERCENTILE, Metric.MEDIAN}
    return tuple(budget for budget in scenario.budgets if budget.assertion.metric in metrics)
