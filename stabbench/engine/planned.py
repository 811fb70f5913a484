"""What a job was planned with, found again where it is trained: the recipe's code and the task's data."""

from __future__ import annotations

from functools import lru_cache

from stabbench.code.identity import code_identity
from stabbench.engine.job import Job
from stabbench.errors import RecipeError, TaskError
from stabbench.tasks.registry import load
from stabbench.tasks.source import TaskSource
from stabbench.tasks.task import Task


def check_code(job: Job) -> None:
    """Find out whether the recipe's code is that of the plan.

    Raises:
        RecipeError: It is not.
    """
    planned, here = job.fingerprint.environment["recipe_code"], code_identity(type(job.recipe))
    if planned != here:
        raise RecipeError(
            f"recipe {job.recipe.name!r}: its code here ({here}) is not that of the plan ({planned})",
            "was a file of it changed meanwhile? give the same command again; on a cluster, every machine needs the "
            "same files",
        )


@lru_cache(maxsize=1)
def planned_task(source: TaskSource, digest: str) -> Task:
    """The task as it was when the job was planned.

    Raises:
        TaskError: Its data have changed since.
    """
    task = load(source)
    if task.digest != digest:
        raise TaskError(
            f"task {source.name!r}: its data changed while it was being run ({task.source})", "run it again"
        )
    return task
