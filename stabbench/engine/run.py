"""Doing a job: load, train, score."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import torch

from stabbench.engine.checks import why_not_stackable
from stabbench.engine.evaluate import Curve
from stabbench.engine.job import Job, Run, Tick
from stabbench.engine.memory import is_out_of_memory, release
from stabbench.engine.results import measured, missing
from stabbench.engine.setup import Setup
from stabbench.engine.train import Trained
from stabbench.errors import RecipeError, StabbenchError, TaskError
from stabbench.models.loading import load_model
from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe, check_fit
from stabbench.tasks import Task, load_task


def run_job(job: Job, tick: Tick) -> list[Run]:
    """Train and score a group of seeds.

    Whatever goes wrong inside the training (a bug in a user's recipe, say) makes the group's runs ``missing``, with the
    reason: the other groups go on.

    Raises:
        StabbenchError: The job cannot be done as it was asked for.
        MemoryError: The group does not fit into the memory.
    """
    started = time.perf_counter()
    task = job_task(job)
    try:
        with settings(job):
            trained, curve = _train(job, task, tick)
    except StabbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise MemoryError(where(error)) from None
        seconds = time.perf_counter() - started
        return [missing(job, task, seed, where(error), seconds) for seed in job.seeds]
    share = (time.perf_counter() - started) / len(job.seeds)
    return [measured(job, task, trained, curve, number, share) for number in range(len(job.seeds))]


def check_model(source: ModelSource, outputs: int, recipes: Sequence[tuple[Recipe, int]]) -> str:
    """Look at a model with so many outputs before any training on it by recipes of so many steps.

    Returns:
        Why it must be trained one seed at a time; empty where it can be stacked.

    Raises:
        StabbenchError: The model cannot be loaded, or one of the recipes does not fit it.
    """
    with one_cpu_thread():
        pretrained, layout = load_model(source, outputs, None)
        for recipe, total_steps in recipes:
            check_fit(recipe, layout, total_steps)
        return why_not_stackable(pretrained)


@contextlib.contextmanager
def settings(job: Job) -> Iterator[None]:
    """PyTorch as the job needs it, for as long as it runs: a worker's own settings may be others than the planner's."""
    release(torch.device(job.device))
    if job.device == "cuda" and job.recipe.precision == "tf32" and torch.cuda.get_device_capability() < (8, 0):
        raise RecipeError(f"{torch.cuda.get_device_name()} has no TF32", "leave out precision=tf32")
    precision, deterministic = torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled()
    torch.set_float32_matmul_precision("high" if job.recipe.precision == "tf32" else "highest")
    torch.use_deterministic_algorithms(job.fingerprint.environment.get("deterministic", deterministic))
    try:
        with one_cpu_thread():
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.use_deterministic_algorithms(deterministic)


@contextlib.contextmanager
def one_cpu_thread() -> Iterator[None]:
    """With more threads, PyTorch splits sums in ways that depend on how many seeds are stacked."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def job_task(job: Job) -> Task:
    """The task as it was when the job was planned.

    Raises:
        TaskError: Its data have changed since.
    """
    return _task(job.task, job.data_dir, str(job.fingerprint.experiment["data"]))


@lru_cache(maxsize=1)
def _task(name: str, data_dir: Path | None, digest: str) -> Task:
    task = load_task(name, data_dir)
    if task.digest != digest:
        raise TaskError(f"task {name!r}: its data changed while it was being run ({task.source})", "run it again")
    return task


def _train(job: Job, task: Task, tick: Tick) -> tuple[Trained, Curve]:
    setup = Setup(job, task)
    points = setup.evaluations()

    def on_step(step: int) -> None:
        tick(len(job.seeds))
        if step in points:
            setup.curve.add(step, setup.model, len(job.seeds))

    trained = setup.train(on_step)
    setup.keep()
    return trained, setup.curve


def where(error: Exception) -> str:
    """The error in one line, with the place it came from: a user's recipe may be to blame."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    first_line = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first_line} (at {Path(last.filename).name}:{last.lineno} in {last.name})"
