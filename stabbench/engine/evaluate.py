"""Predictions during and after a training, and the scores that they earn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stabbench.engine.inputs import Inputs
from stabbench.engine.stacking.models import SeedModel
from stabbench.tasks.metrics import Kind, find_metric
from stabbench.tasks.task import Examples, Task

EVALUATION_BATCH = 100


def evaluation_steps(steps: int, evaluations: int) -> list[int]:
    """After which of a training's ``steps``, counted from 1, it is evaluated: evenly spread, the last at its end.

    Fewer than ``evaluations`` where there are fewer steps.
    """
    evaluations = min(evaluations, steps)  # with as many as steps it is evaluated after each
    return sorted({math.ceil(steps * (i + 1) / evaluations) for i in range(evaluations)})


@dataclass(frozen=True)
class Split:
    """A set of examples to score.

    Attributes:
        inputs: As tensors.
        examples: As they are.
        task: Whose they are, with the metric.
    """

    inputs: Inputs
    examples: Examples
    task: Task

    def scores(self, predicted: Predicted) -> list[float | None]:
        """Each seed's score; None where one of its predictions is not finite."""
        return [
            self.task.score(decided.numpy(), self.examples) if decided.isfinite().all() else None
            for decided in predicted.decided
        ]

    def predict(self, model: SeedModel, seeds: int) -> Predicted:
        """The seeds' predictions."""
        return predict(model, self.inputs, seeds, decision(self.task), self.task.kind)


def best_class(logits: Tensor) -> Tensor:
    """Class numbers, or the single output."""
    return logits.argmax(-1).float() if logits.shape[-1] > 1 else logits.squeeze(-1)


def decision(task: Task) -> Callable[[Tensor], Tensor]:
    """From logits to what the task's metric wants as predictions (:class:`stabbench.tasks.metrics.Metric`)."""
    if not find_metric(task.metric).probabilities or task.kind == "regression":
        return (lambda logits: (logits > 0).float()) if task.kind == "multi-label" else best_class
    # In float32 two predictions that are both nearly certain would be one.
    if task.kind == "multi-label":
        return lambda logits: logits.double().sigmoid()
    if task.kind == "binary":
        return lambda logits: logits.double().softmax(-1)[..., 1]
    return lambda logits: logits.double().softmax(-1)


@dataclass(frozen=True)
class Answers:
    """What was predicted, whatever the metric wants of it; on the CPU.

    Attributes:
        values: Class numbers, or the numbers of a regression ``[seeds, examples]``; of several labels 0 and 1,
            ``[seeds, examples, classes]``.
        probabilities: Of what was predicted, of the same shape, in half precision; None of a regression.
    """

    values: Tensor
    probabilities: Tensor | None


@dataclass(frozen=True)
class Predicted:
    """Predictions without dropout, on the CPU.

    Attributes:
        decided: As the metric wants them, ``[seeds, examples, …]``; NaN where the logits are not finite.
        answers: What was predicted, whatever the metric wants of it.
    """

    decided: Tensor
    answers: Answers


@torch.no_grad()
def predict(
    model: SeedModel,
    data: Inputs,
    seeds: int,
    decide: Callable[[Tensor], Tensor] = best_class,
    kind: Kind = "multi-class",
) -> Predicted:
    """Predict all examples.

    Args:
        model: The seeds' models.
        data: The examples.
        seeds: How many.
        decide: From logits to what a metric wants.
        kind: What the labels are.
    """
    model.train(False)
    decided: list[Tensor] = []
    parts: list[tuple[Tensor, Tensor]] = []
    for rows in _batches(len(data)):
        batch = data.rows(rows.expand(seeds, -1))
        logits = model.logits(batch.tokens, {}, batch.real)
        made, finite = decide(logits), logits.isfinite().all(-1)
        decided.append(made.masked_fill(~finite.view(*finite.shape, *[1] * (made.dim() - finite.dim())), math.nan))
        parts.append(_answers(logits, kind))
    values, probabilities = (torch.cat(part, dim=1).cpu() for part in zip(*parts, strict=True))
    answers = Answers(values, None if kind == "regression" else probabilities)
    return Predicted(torch.cat(decided, dim=1).cpu(), answers)


def _answers(logits: Tensor, kind: Kind) -> tuple[Tensor, Tensor]:
    """What is predicted, and its probability."""
    if kind == "regression":
        return logits.squeeze(-1), logits.squeeze(-1)
    if kind == "multi-label":
        return (logits > 0).to(torch.uint8), logits.abs().sigmoid().half()
    probabilities, values = logits.softmax(-1).max(-1)
    return values.to(torch.uint8 if logits.shape[-1] <= 256 else torch.int32), probabilities.half()


def _batches(examples: int) -> Sequence[Tensor]:
    """Even ones: a last one of a single row would be multiplied by other kernels when there is a single seed."""
    return torch.arange(examples).tensor_split(math.ceil(examples / EVALUATION_BATCH))
