"""Runs that stabbench itself has logged to a tracker: recipe, task and outcome are among their parameters."""

from __future__ import annotations

import dataclasses

from stabbench.imported import table
from stabbench.imported.found import FoundRun
from stabbench.imported.score import read_under_its_name
from stabbench.records.rows import RUN_ID


def as_logged(run: FoundRun) -> FoundRun:
    """A run with what its parameters say, if stabbench wrote them; any other run as it is.

    Raises:
        ResultsError: Its outcome is none.
    """
    if RUN_ID not in run.parameters:
        return run
    said = table.run_of(run.where, run.parameters)
    said_metric = str(run.parameters.get("metric") or "")
    return dataclasses.replace(
        run,
        metrics=read_under_its_name(run.metrics, said_metric),
        recipe=said.recipe,
        task=said.task,
        model=said.model,
        metric=said_metric,
        constant_score=said.constant_score,
        failed=said.failed,
        reason=said.reason,
    )
