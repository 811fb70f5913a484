"""Tasks: the lab's five, and the nine of GLUE from TSV files or from the hub; and variants of each."""

from __future__ import annotations

from pathlib import Path

from stabbench.errors import TaskError, unknown
from stabbench.tasks._base import Examples as Examples
from stabbench.tasks._base import Task as Task
from stabbench.tasks._glue import GLUE_TASKS as GLUE_TASKS
from stabbench.tasks._lab import LAB_TASKS as LAB_TASKS
from stabbench.tasks._variant import parse_variant
from stabbench.tasks.metrics import METRICS as METRICS


def task_names() -> list[str]:
    """Names of all tasks, the lab's first."""
    return [*LAB_TASKS, *GLUE_TASKS]


def is_lab_task(name: str) -> bool:
    """Whether this is one of the lab's tasks, or a variant of one."""
    return name.partition(":")[0] in LAB_TASKS


def folder_for(name: str, data_dir: Path | None) -> Path | None:
    """The data folder for that task out of several: the lab's tasks read none."""
    return None if is_lab_task(name) else data_dir


def canonical_name(name: str) -> str:
    """A task's name with the options of its variant, if any, in their one order.

    Raises:
        TaskError: A variant that is none.
    """
    base, colon, options = name.partition(":")
    return f"{base}:{parse_variant(options, base).text}" if colon else base


def load_task(name: str, data_dir: Path | None = None) -> Task:
    """A task with its data.

    Args:
        name: Such as ``lab/entailment`` or ``glue/rte``, or a variant, ``glue/rte:examples=1000,split=zhang2021``.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.

    Raises:
        TaskError: An unknown task or variant, or data that cannot be read.
    """
    base, colon, options = name.partition(":")
    variant = parse_variant(options, base) if colon else None
    task = _load_whole(base, data_dir)
    return task if variant is None else variant.apply(task)


def _load_whole(name: str, data_dir: Path | None) -> Task:
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
