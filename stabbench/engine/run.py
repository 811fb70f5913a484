"""Doing a job: load, train, score."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from stabbench._system.machine import is_out_of_memory
from stabbench.code.users_code import users_code, where
from stabbench.engine.ambient import own_settings
from stabbench.engine.checkpoint import GroupCheckpoint
from stabbench.engine.empty_records import missing
from stabbench.engine.job import Job, Tick
from stabbench.engine.memory import release
from stabbench.engine.results import measured
from stabbench.engine.setup import Setup
from stabbench.errors import RecipeError, StabbenchError
from stabbench.records.history import Run
from stabbench.records.run import OUT_OF_MEMORY
from stabbench.tasks.task import Task


def run_job(job: Job, task: Task, tick: Tick) -> list[Run]:
    """Train and score a group of seeds.

    Whatever goes wrong inside the training (a bug in a user's recipe, say) makes the group's runs ``missing``, with the
    reason: the other groups go on.

    Raises:
        StabbenchError: The job cannot be done as planned.
        MemoryError: The group does not fit into the memory.
    """
    checkpoint = GroupCheckpoint(job)

    def on_step(step: int) -> None:
        tick(len(job.seeds))
        if step in evaluations:
            with training.scored():
                setup.curve.add(step, setup.model, len(job.seeds))
        checkpoint.step_made()

    try:
        with users_code(), settings(job), memory_errors():
            setup = Setup(job, task)
            evaluations = setup.evaluations()
            with setup.training() as training:
                checkpoint.begin(training, setup.curve)
                tick(training.made * len(job.seeds))
                trained = training.run(on_step)
            with training.scored():
                setup.keep()
    except (StabbenchError, MemoryError):
        raise
    except Exception as error:
        return [missing(job, task, seeds, where(error), checkpoint.seconds) for seeds in job.seeds]
    seconds = checkpoint.seconds
    return [measured(job, task, trained, setup.curve, number, seconds) for number in range(len(job.seeds))]


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """What PyTorch and the system raise where memory runs out becomes a MemoryError, by which executors know it.

    Raises:
        MemoryError: Memory ran out, here or there.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(f"{OUT_OF_MEMORY}: {where(error)}") from None
        raise


@contextlib.contextmanager
def settings(job: Job) -> Iterator[None]:
    """PyTorch as the job needs it, for as long as it runs: a worker's own settings may be others than the planner's."""
    release(torch.device(job.device))
    if job.device == "cuda" and job.recipe.precision == "tf32" and torch.cuda.get_device_capability() < (8, 0):
        raise RecipeError(f"{torch.cuda.get_device_name()} has no TF32", "leave out precision=tf32")
    precision = "high" if job.recipe.precision == "tf32" else "highest"
    with own_settings(precision, deterministic=job.fingerprint.environment.get("deterministic", False)):
        yield
