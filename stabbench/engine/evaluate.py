"""Predictions during and after a training, and the scores that they earn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from stabbench.engine.inputs import Inputs
from stabbench.engine.models import SeedModel
from stabbench.tasks import METRICS, Examples

EVALUATION_BATCH = 100


def evaluation_steps(steps: int, evaluations: int) -> list[int]:
    """After which of a training's ``steps``, counted from 1, it is evaluated: evenly spread, the last at its end.

    Fewer than ``evaluations`` where there are fewer steps.
    """
    return sorted({math.ceil(steps * (i + 1) / evaluations) for i in range(evaluations)})


@dataclass(frozen=True)
class Split:
    """A set of examples to score.

    Attributes:
        inputs: As tensors.
        examples: As they are.
        metric: The name of the metric.
    """

    inputs: Inputs
    examples: Examples
    metric: str

    def scores(self, model: SeedModel, seeds: int) -> list[float | None]:
        """Each seed's score; None where one of its predictions is not finite."""
        metric = METRICS[self.metric]
        return [
            metric.score(predictions.numpy(), self.examples.labels) if predictions.isfinite().all() else None
            for predictions in predict(model, self.inputs, seeds)
        ]


@dataclass
class Curve:
    """The scores of a group of seeds at several points of its training.

    Attributes:
        evaluation: The task's evaluation set.
        validation: Its validation set, if it has one.
        steps: After which steps.
        scores: For each of them the seeds' scores on the evaluation set.
        validation_scores: Likewise on the validation set.
    """

    evaluation: Split
    validation: Split | None
    steps: list[int] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    validation_scores: list[list[float | None]] = field(default_factory=list)

    def add(self, step: int, model: SeedModel, seeds: int) -> None:
        """Score the model as it is, and leave it ready for more training."""
        self.steps.append(step)
        self.scores.append(self.evaluation.scores(model, seeds))
        if self.validation is not None:
            self.validation_scores.append(self.validation.scores(model, seeds))
        model.train(True)

    def kept(self, seed: int, keep: Literal["last", "best"]) -> int:
        """Which point counts for a seed: the last, or the first of the best.

        The best is chosen on the validation set; on the evaluation set itself, which flatters, where there is none.
        """
        if keep == "last":
            return len(self.steps) - 1
        chosen_by = [scores[seed] for scores in self.validation_scores or self.scores]
        return max(range(len(chosen_by)), key=lambda i: _rank(chosen_by[i]))


def _rank(score: float | None) -> float:
    return -math.inf if score is None else score


@torch.no_grad()
def predict(model: SeedModel, data: Inputs, seeds: int) -> Tensor:
    """Predictions ``[seeds, examples]`` without dropout: class numbers, or the single output; NaN if not finite."""
    model.train(False)
    parts: list[Tensor] = []
    for rows in _batches(len(data)):
        batch = data.rows(rows.expand(seeds, -1))
        logits = model.logits(batch.tokens, {}, batch.real)
        best = logits.argmax(-1).float() if logits.shape[-1] > 1 else logits.squeeze(-1)
        parts.append(best.masked_fill(~logits.isfinite().all(-1), math.nan))
    return torch.cat(parts, dim=1).cpu()


def _batches(examples: int) -> Sequence[Tensor]:
    """Even ones: a last one of a single row would be multiplied by other kernels when there is a single seed."""
    return torch.arange(examples).tensor_split(math.ceil(examples / EVALUATION_BATCH))
