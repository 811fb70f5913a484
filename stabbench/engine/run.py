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
from stabbench.engine.encoders import load_encoder, save_encoder
from stabbench.engine.evaluate import Curve, Split, evaluation_steps
from stabbench.engine.inputs import Inputs, encode
from stabbench.engine.job import Job, Run, Tick
from stabbench.engine.models import OneSeedModel, SeedModel, StackedModel
from stabbench.engine.results import measured, missing
from stabbench.engine.train import Trained, train
from stabbench.errors import StabbenchError, TaskError
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe, check_fit, planned_steps
from stabbench.seeds import Seeds
from stabbench.tasks import Examples, Task, load_task


def run_job(job: Job, tick: Tick) -> list[Run]:
    """Train and score a group of seeds.

    Whatever goes wrong inside the training (memory, a bug in a user's recipe) makes the group's runs ``missing``, with
    the reason: the other groups go on.

    Raises:
        StabbenchError: The job cannot be done as it was asked for.
    """
    started = time.perf_counter()
    task = _task(job.task, job.data_dir, str(job.fingerprint.experiment["data"]))
    try:
        with one_cpu_thread():
            trained, curve = _train(job, task, tick)
    except StabbenchError:
        raise
    except Exception as error:
        return [missing(job, task, seed, _where(error), time.perf_counter() - started) for seed in job.seeds]
    share = (time.perf_counter() - started) / len(job.seeds)
    return [measured(job, task, trained, curve, number, share) for number in range(len(job.seeds))]


def check_model(asked: tuple[ModelSource, int, Sequence[tuple[Recipe, int]]], tick: Tick) -> str:
    """Look at a model with so many outputs before any training on it by recipes of so many steps.

    Returns:
        Why it must be trained one seed at a time; empty where it can be stacked.

    Raises:
        StabbenchError: The model cannot be loaded, or one of the recipes does not fit it.
    """
    source, outputs, recipes = asked
    with one_cpu_thread():
        pretrained, layout = load_model(source, outputs, None)
        for recipe, total_steps in recipes:
            check_fit(recipe, layout, total_steps)
        return why_not_stackable(pretrained)


@contextlib.contextmanager
def one_cpu_thread() -> Iterator[None]:
    """With more threads, PyTorch splits sums in ways that depend on how many seeds are stacked."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _task(name: str, data_dir: Path | None, digest: str) -> Task:
    """The task as it was when the run was planned."""
    task = load_task(name, data_dir)
    if task.digest != digest:
        raise TaskError(f"task {name!r}: its data changed while it was being run ({task.source})", "run it again")
    return task


def _train(job: Job, task: Task, tick: Tick) -> tuple[Trained, Curve]:
    device = torch.device(job.device)
    pretrained, layout = load_model(job.model, task.outputs, job.recipe.dropout)
    if job.start is not None:
        layout = load_encoder(job.start, pretrained, layout)
    pretrained.to(device)  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's own signature
    model: SeedModel = StackedModel(pretrained, len(job.seeds)) if job.stacked else OneSeedModel(pretrained)
    model.precision = job.recipe.precision
    tokenizer = load_tokenizer(job.model)

    def tensors(examples: Examples) -> Inputs:
        return encode(examples, tokenizer, job.recipe.max_length, not task.classes, device)

    def split(examples: Examples) -> Split:
        return Split(tensors(examples), examples, task.metric)

    curve = Curve(split(task.evaluation), None if task.validation is None else split(task.validation))
    total_steps = planned_steps(job.recipe, task.schedule_size, None)
    steps = planned_steps(job.recipe, task.schedule_size, job.max_steps)
    stages = len(job.recipe.staging(layout))
    # A training that is cut short is evaluated where it ends.
    points = {min(point, steps) for point in evaluation_steps(total_steps, job.recipe.evaluations * stages)}

    def on_step(step: int) -> None:
        tick(len(job.seeds))
        if step in points:
            curve.add(step, model, len(job.seeds))

    # A model that is not stacked may draw from PyTorch's own generator; then that is the seed's, too.
    with contextlib.nullcontext() if job.stacked else _global_generator(job.seeds[0], device):
        trained = train(
            job.recipe,
            model,
            layout,
            tensors(task.train),
            job.seeds,
            total_steps=total_steps,
            steps=steps,
            lr_multiplier=job.model.lr_multiplier,
            on_step=on_step,
        )
    if job.keep is not None:
        save_encoder(job.keep, model, layout)
    return trained, curve


@contextlib.contextmanager
def _global_generator(seeds: Seeds, device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seeds.derive("dropout"))
        yield


def _where(error: Exception) -> str:
    """The error in one line, with the place it came from: a user's recipe may be to blame."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    first_line = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first_line} (at {Path(last.filename).name}:{last.lineno} in {last.name})"
