"""From what a training gave to run records."""

from __future__ import annotations

import dataclasses
import math

from torch import Tensor

from stabbench.engine.curve import Curve
from stabbench.engine.empty_records import new_record
from stabbench.engine.job import Job
from stabbench.engine.train import Trained
from stabbench.records.history import History, Run
from stabbench.records.run import Outcome, finite
from stabbench.records.scoring import outcome_of
from stabbench.tasks.task import Task


def measured(job: Job, task: Task, trained: Trained, curve: Curve, number: int, seconds: float) -> Run:
    """The run of the group's seed ``number``."""
    losses = trained.losses[:, number]
    epoch = -(-len(task.train) // job.recipe.step_size)
    kept = curve.kept(number)
    score = curve.scores[kept][number]
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0]) + 1
        outcome, reason = Outcome.FAILED, f"the training loss is not finite from step {step}"
    elif score is None:
        outcome, reason = Outcome.FAILED, "a prediction is not finite"
    else:
        outcome, reason = outcome_of(score, task.constant_score)
    record = dataclasses.replace(
        new_record(job, task, job.seeds[number], outcome, reason, seconds),
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
        constant_loss=finite(task.constant_loss),
        learning_rates=trained.learning_rates,
        one_class=_marks(trained.one_class, number) if task.kind != "regression" else (),
        components=trained.components[number] if trained.components else None,
        predictions=curve.predictions(number, kept),
        evaluation_predictions=curve.all_predictions(number),
    )
    return record, history


def _marks(one_class: Tensor | None, number: int) -> list[bool]:
    return [] if one_class is None else one_class[:, number].tolist()


def _finite_list(values: Tensor) -> list[float | None]:
    return [finite(value) for value in values.tolist()]
