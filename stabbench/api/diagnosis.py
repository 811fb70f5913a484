"""`stabbench diagnose` as a function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.diagnostics.choice import chosen
from stabbench.diagnostics.diagnose import Diagnosis
from stabbench.diagnostics.diagnose import diagnose as find_causes
from stabbench.runner.methods import label_of
from stabbench.runner.resources import DEFAULT_STORE
from stabbench.tasks.registry import record_name
from stabbench.tasks.task import Task


def diagnose(
    *names: str, store: str | Path = DEFAULT_STORE, task: str | Task | None = None, every: bool = False
) -> Sequence[Diagnosis]:
    """Say why stored runs failed, from their records alone.

    Args:
        names: Recipes or training files as in the command that trained them, or run ids or their beginnings; none takes
            all.
        store: The folder of the run store.
        task: Only runs on this task: its name, its file, or a :class:`stabbench.Task`.
        every: Successful runs, too.

    Raises:
        StabbenchError: There is no such run, or the store cannot be read.
    """
    wanted = None if task is None else record_name(task)
    cells = chosen(Path(store), names, task=wanted, every=every, label_of=label_of)
    return [found for cell in cells for found in find_causes(cell.runs, cell.asked)]
