"""The unit of work: one recipe, one task, one model, a group of seeds trained together."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from stabbench.engine.checks import why_not_stackable
from stabbench.engine.inputs import Inputs, encode
from stabbench.engine.models import OneSeedModel, SeedModel, StackedModel
from stabbench.engine.train import Trained, predict, train
from stabbench.errors import StabbenchError, TaskError
from stabbench.models.layout import Layout
from stabbench.models.loading import load_model, load_tokenizer
from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe, check_fit, planned_steps
from stabbench.records import Fingerprint, History, Outcome, RunRecord, finite
from stabbench.seeds import Seeds
from stabbench.tasks import METRICS, Task, load_task

# Called with the number of seed-steps just made.
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """Plain data, so that it can be sent to another process.

    Attributes:
        recipe: With its family's defaults filled in.
        label: The recipe's label in records and tables.
        task: The task's name.
        data_dir: As for :func:`stabbench.tasks.load_task`.
        model: Where the model is.
        seeds: The group.
        stacked: Whether the model may be stacked; where not, the group is one seed.
        device: ``"cpu"`` or ``"cuda"``.
        max_steps: Stop there, if set.
        fingerprint: Of every run of the group.
    """

    recipe: Recipe
    label: str
    task: str
    data_dir: Path | None
    model: ModelSource
    seeds: tuple[Seeds, ...]
    stacked: bool
    device: str
    max_steps: int | None
    fingerprint: Fingerprint


Run = tuple[RunRecord, History]


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
            trained, predictions = _train(job, task, tick)
    except StabbenchError:
        raise
    except Exception as error:
        return [_missing(job, task, seed, _where(error), time.perf_counter() - started) for seed in job.seeds]
    share = (time.perf_counter() - started) / len(job.seeds)
    return [_result(job, task, trained, predictions[number], number, share) for number in range(len(job.seeds))]


def check_model(asked: tuple[ModelSource, int, Sequence[Recipe]], tick: Tick) -> str:
    """Look at a model with so many outputs before any training on it.

    Returns:
        Why it must be trained one seed at a time; empty where it can be stacked.

    Raises:
        StabbenchError: The model cannot be loaded, or one of the recipes does not fit it.
    """
    source, outputs, recipes = asked
    with one_cpu_thread():
        pretrained, layout = load_model(source, outputs, None)
        for recipe in recipes:
            check_fit(recipe, layout)
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


def _train(job: Job, task: Task, tick: Tick) -> tuple[Trained, Tensor]:
    device = torch.device(job.device)
    pretrained, layout = load_model(job.model, task.outputs, job.recipe.dropout)
    pretrained.to(device)  # type: ignore[arg-type]  # transformers' wrapper hides nn.Module's own signature
    model: SeedModel = StackedModel(pretrained, len(job.seeds)) if job.stacked else OneSeedModel(pretrained)
    data, evaluation = _encoded(job, task, device)
    # A model that is not stacked may draw from PyTorch's own generator; then that is the seed's, too.
    own = contextlib.nullcontext() if job.stacked else _global_generator(job.seeds[0], device)
    with own:
        trained = _fit(job, model, layout, data, tick)
    return trained, predict(model, evaluation, len(job.seeds))


@contextlib.contextmanager
def _global_generator(seeds: Seeds, device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seeds.derive("dropout"))
        yield


def _fit(job: Job, model: SeedModel, layout: Layout, data: Inputs, tick: Tick) -> Trained:
    return train(
        job.recipe,
        model,
        layout,
        data,
        job.seeds,
        lr_multiplier=job.model.lr_multiplier,
        max_steps=job.max_steps,
        on_step=lambda: tick(len(job.seeds)),
    )


def _encoded(job: Job, task: Task, device: torch.device) -> Sequence[Inputs]:
    tokenizer = load_tokenizer(job.model)
    regression = not task.classes
    return [encode(e, tokenizer, job.recipe.max_length, regression, device) for e in (task.train, task.evaluation)]


def _result(job: Job, task: Task, trained: Trained, predictions: Tensor, number: int, seconds: float) -> Run:
    losses = trained.losses[:, number]
    epoch = -(-len(task.train) // job.recipe.batch_size)
    history = History(
        _finite_list(losses),
        trained.probe_steps,
        {part: _finite_list(norms[:, number]) for part, norms in trained.gradient_norms.items()},
    )
    score = None
    if predictions.isfinite().all():
        score = METRICS[task.metric].score(predictions.numpy(), task.evaluation.labels)
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0]) + 1
        outcome, reason = Outcome.FAILED, f"the training loss is not finite from step {step}"
    elif score is None:
        outcome, reason = Outcome.FAILED, "a prediction is not finite"
    elif score <= task.constant_score:
        outcome, reason = Outcome.FAILED, "no better than the best constant predictor"
    else:
        outcome, reason = Outcome.OK, ""
    record = _record(job, task, job.seeds[number], outcome, reason, seconds)
    # Summed exactly: a column of a tensor is summed in an order that depends on how many columns there are.
    final = finite(math.fsum(losses[-epoch:].tolist()) / len(losses[-epoch:]))
    return dataclasses.replace(record, score=score, final_loss=final, steps=len(losses)), history


def _missing(job: Job, task: Task, seeds: Seeds, reason: str, seconds: float) -> Run:
    return _record(job, task, seeds, Outcome.MISSING, reason, seconds), History()


def _record(job: Job, task: Task, seeds: Seeds, outcome: Outcome, reason: str, seconds: float) -> RunRecord:
    return RunRecord(
        id=job.fingerprint.run_id(seeds),
        recipe=job.label,
        task=job.task,
        model=job.model.name,
        revision=job.model.revision,
        seeds=seeds,
        outcome=outcome,
        reason=reason,
        metric=task.metric,
        score=None,
        constant_score=task.constant_score,
        final_loss=None,
        steps=planned_steps(job.recipe, len(task.train), job.max_steps),
        stack=len(job.seeds),
        seconds=seconds,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=job.fingerprint,
    )


def _finite_list(values: Tensor) -> list[float | None]:
    return [finite(value) for value in values.tolist()]


def _where(error: Exception) -> str:
    """The error in one line, with the place it came from: a user's recipe may be to blame."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    first_line = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first_line} (at {Path(last.filename).name}:{last.lineno} in {last.name})"
