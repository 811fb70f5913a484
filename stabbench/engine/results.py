"""From what a training gave to run records."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime

from torch import Tensor

from stabbench.engine.evaluate import Curve
from stabbench.engine.job import Job, Run
from stabbench.engine.train import Trained
from stabbench.recipes import planned_steps
from stabbench.records import History, Outcome, RunRecord, finite
from stabbench.seeds import Seeds
from stabbench.tasks import Task


def measured(job: Job, task: Task, trained: Trained, curve: Curve, number: int, seconds: float) -> Run:
    """The run of the group's seed ``number``."""
    losses = trained.losses[:, number]
    epoch = -(-len(task.train) // job.recipe.batch_size)
    kept = curve.kept(number, job.recipe.keep)
    score = curve.scores[kept][number]
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0]) + 1
        outcome, reason = Outcome.FAILED, f"the training loss is not finite from step {step}"
    elif score is None:
        outcome, reason = Outcome.FAILED, "a prediction is not finite"
    elif score <= task.constant_score:
        outcome, reason = Outcome.FAILED, "no better than the best constant predictor"
    else:
        outcome, reason = Outcome.OK, ""
    record = dataclasses.replace(
        _record(job, task, job.seeds[number], outcome, reason, seconds),
        score=score,
        # Summed exactly: a column of a tensor is summed in an order that depends on how many columns there are.
        final_loss=finite(math.fsum(losses[-epoch:].tolist()) / len(losses[-epoch:])),
        steps=len(losses),
        kept_step=curve.steps[kept],
        validation_score=curve.validation_scores[kept][number] if curve.validation_scores else None,
    )
    history = History(
        losses=_finite_list(losses),
        probe_steps=trained.probe_steps,
        gradient_norms={part: _finite_list(norms[:, number]) for part, norms in trained.gradient_norms.items()},
        evaluation_steps=curve.steps,
        scores=[scores[number] for scores in curve.scores],
        validation_scores=[scores[number] for scores in curve.validation_scores],
    )
    return record, history


def missing(job: Job, task: Task, seeds: Seeds, reason: str, seconds: float) -> Run:
    """A run that the machine gave up on."""
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
        steps=planned_steps(job.recipe, task.schedule_size, job.max_steps),
        stack=len(job.seeds),
        seconds=seconds,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=job.fingerprint,
    )


def _finite_list(values: Tensor) -> list[float | None]:
    return [finite(value) for value in values.tolist()]
