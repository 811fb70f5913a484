"""Runs that stabbench itself has logged to a tracker: recipe, task and outcome are among their parameters."""

from __future__ import annotations

import dataclasses

from stabbench.imported import table
from stabbench.imported.found import FoundRun
from stabbench.records.rows import RUN_ID


def as_logged(run: FoundRun) -> FoundRun:
    """A run with what its parameters say, if stabbench wrote them; any other run as it is.

    Raises:
        ResultsError: Its outcome is none.
    """
    if RUN_ID not in run.parameters:
        return run
    said = table.run_of(run.where, run.parameters)
    return dataclasses.replace(run, recipe=said.recipe, task=said.task, failed=said.failed)
