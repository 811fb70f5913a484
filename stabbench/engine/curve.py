"""The scores of a group of seeds during its training, and the predictions behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from stabbench.engine.evaluate import Answers, Split
from stabbench.engine.stacking.models import SeedModel
from stabbench.records.detail import DEFAULT_DETAIL, Detail
from stabbench.records.history import Predictions


@dataclass
class Curve:
    """The scores of a group of seeds at several points of its training.

    Attributes:
        evaluation: The task's evaluation set.
        validation: Its validation set, if it has one.
        keep: Which point counts: the last, or the best.
        detail: How much is kept besides the scores.
        steps: After which steps.
        scores: For each of them the seeds' scores on the evaluation set.
        validation_scores: The same on the validation set.
        answers: For each of them what was predicted, as far as that is needed later: None where not.
    """

    evaluation: Split
    validation: Split | None
    keep: Literal["last", "best"] = "last"
    detail: Detail = DEFAULT_DETAIL
    steps: list[int] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    validation_scores: list[list[float | None]] = field(default_factory=list)
    answers: list[Answers | None] = field(default_factory=list)

    def add(self, step: int, model: SeedModel, seeds: int) -> None:
        """Score the model in its present state, and leave it ready for more training."""
        predicted = self.evaluation.predict(model, seeds)
        self.steps.append(step)
        self.scores.append(self.evaluation.scores(predicted))
        if not self._keeps_all:
            self.answers = [None] * len(self.answers)
        self.answers.append(None if self.detail == "brief" else predicted.answers)
        if self.validation is not None:
            self.validation_scores.append(self.validation.scores(self.validation.predict(model, seeds)))
        model.train(True)

    @property
    def _keeps_all(self) -> bool:
        """Whether any of the predictions may be needed at the end."""
        return self.detail == "full" or (self.keep == "best" and self.detail != "brief")

    def kept(self, seed: int) -> int:
        """Which point counts for a seed: the last, or the first of the best.

        The best is chosen on the validation set; on the evaluation set itself, which flatters, where there is none.
        """
        if self.keep == "last":
            return len(self.steps) - 1
        chosen_by = [scores[seed] for scores in self.validation_scores or self.scores]
        return max(range(len(chosen_by)), key=lambda i: _rank(chosen_by[i]))

    def predictions(self, seed: int, point: int) -> Predictions | None:
        """What a seed predicted at one of the points, for its record; None where that is not kept."""
        if point >= len(self.answers) or (made := self.answers[point]) is None:
            return None
        values, labels = made.values[seed], self.evaluation.inputs.labels.cpu()
        if made.probabilities is None:
            return Predictions(values.numpy(), np.zeros(0, np.float16), np.zeros(0, bool), self.steps[point])
        right = (values == labels).flatten(1).all(1) if values.dim() > 1 else values == labels
        return Predictions(values.numpy(), made.probabilities[seed].numpy(), right.numpy(), self.steps[point])

    def all_predictions(self, seed: int) -> list[Predictions]:
        """Those of every point, where they are to be kept."""
        found = [self.predictions(seed, point) for point in range(len(self.steps))] if self.detail == "full" else []
        return [each for each in found if each is not None]

    def state(self) -> Mapping[str, Tensor]:
        """The predictions that may be needed at the end, ``[seeds, points, ...]`` each."""
        kept = [each for each in self.answers if each is not None] if self._keeps_all else []
        if not kept:
            return {}
        shares = [each.probabilities for each in kept if each.probabilities is not None]
        values = torch.stack([each.values for each in kept], dim=1)
        return {"answers/values": values, **({"answers/probabilities": torch.stack(shares, dim=1)} if shares else {})}

    def restore(self, state: Callable[[str], Tensor]) -> None:
        """Go on from what :meth:`state` gave, asked for by name; ``steps`` are those of then."""
        self.answers = [None] * len(self.steps)
        if self._keeps_all and self.steps:
            values = state("answers/values").unbind(1)
            number = self.evaluation.task.kind == "regression"
            shares = [None] * len(values) if number else state("answers/probabilities").unbind(1)
            self.answers = [Answers(each, share) for each, share in zip(values, shares, strict=True)]


def _rank(score: float | None) -> float:
    return -math.inf if score is None else score
