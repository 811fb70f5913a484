"""Tasks: the lab's four, and the nine of GLUE from TSV files or from the hub."""

from __future__ import annotations

from pathlib import Path

from stabbench.errors import TaskError, unknown
from stabbench.tasks._base import Examples as Examples
from stabbench.tasks._base import Task as Task
from stabbench.tasks._glue import GLUE_TASKS as GLUE_TASKS
from stabbench.tasks._lab import LAB_TASKS as LAB_TASKS
from stabbench.tasks.metrics import METRICS as METRICS


def task_names() -> list[str]:
    """Names of all tasks, the lab's first."""
    return [*LAB_TASKS, *GLUE_TASKS]


def load_task(name: str, data_dir: Path | None = None) -> Task:
    """A task with its data.

    Args:
        name: Such as ``lab/entailment`` or ``glue/rte``.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.

    Raises:
        TaskError: An unknown task, or data that cannot be read.
    """
    from stabbench.tasks._hub import load_hub
    from stabbench.tasks._lab import load_lab
    from stabbench.tasks._tsv import load_tsv

    if name in LAB_TASKS:
        if data_dir is not None:
            raise TaskError(f"task {name!r} takes no data folder", "name a GLUE task, such as --task glue/rte")
        return load_lab(name)
    if name not in GLUE_TASKS:
        raise TaskError(unknown("task", name, task_names()), "see: stabbench list tasks")
    return load_hub(name) if data_dir is None else load_tsv(name, data_dir)
