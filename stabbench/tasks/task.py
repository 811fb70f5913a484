"""What a task is: labelled examples to train on and to score, and the metric that scores them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stabbench.errors import TaskError
from stabbench.tasks.constants import constant_loss
from stabbench.tasks.metrics import Kind, find_metric, hot


@dataclass(frozen=True)
class Examples:
    """Labelled texts.

    Attributes:
        first: The text, or the first of a pair.
        second: The second of a pair; None for a task on single sentences.
        labels: Class numbers; numbers for a regression task; a tuple of class numbers, in ascending order, for each
            example of a multi-label task.
    """

    first: Sequence[str]
    second: Sequence[str] | None
    labels: Sequence[Any]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Task:
    """A task with its data.

    Attributes:
        name: Such as ``glue/rte``.
        metric: The name of one (:mod:`stabbench.tasks.metrics`).
        classes: Names of the classes in the order of their numbers; empty for regression.
        train: Examples to train on.
        evaluation: Examples to score, GLUE's development set.
        source: Where the data came from, in words.
        validation: Examples to choose the best of several evaluations by; None where there are none apart from
            ``evaluation``.
        scheduled: The number of examples by which recipes count their epochs, if not that of ``train``.
        multi_label: An example has any number of the classes, and not one.
        notes: What a reader should know of the data: rows that were left out, blank texts.
    """

    name: str
    metric: str
    classes: tuple[str, ...]
    train: Examples
    evaluation: Examples
    source: str = "given in Python"
    validation: Examples | None = None
    scheduled: int | None = None
    multi_label: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        splits = {"training": self.train, "evaluation": self.evaluation, "validation": self.validation}
        for split, examples in splits.items():
            if examples is not None and not len(examples):
                raise TaskError(f"task {self.name!r}: the {split} set has no rows ({self.source})")

    @property
    def outputs(self) -> int:
        """The number of outputs of the head: one a class, or 1 for regression."""
        return len(self.classes) or 1

    @property
    def kind(self) -> Kind:
        """What its labels are."""
        if not self.classes:
            return "regression"
        return "multi-label" if self.multi_label else "binary" if len(self.classes) == 2 else "multi-class"

    @property
    def schedule_size(self) -> int:
        """The number of examples by which recipes count their epochs."""
        return len(self.train) if self.scheduled is None else self.scheduled

    @cached_property
    def constant_score(self) -> float:
        """The score of the best constant predictor on the evaluation set: at or below it, a run has failed."""
        return find_metric(self.metric).constant_score(self.kind, self.targets(self.evaluation), len(self.classes))

    @cached_property
    def constant_loss(self) -> float:
        """The training loss of the best constant predictor: one that stays there has learnt nothing."""
        return constant_loss(self.kind, np.asarray(self.targets(self.train)), len(self.classes))

    def targets(self, examples: Examples) -> ArrayLike:
        """The labels of some of its examples as the metric wants them, ``[n]``, or 0 and 1 ``[n, classes]``."""
        return hot(examples.labels, len(self.classes)) if self.multi_label else examples.labels

    def score(self, predictions: ArrayLike, examples: Examples) -> float:
        """The metric of finite predictions, as it wants them (:class:`stabbench.tasks.metrics.Metric`)."""
        return find_metric(self.metric).score(self.kind, predictions, self.targets(examples))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every example and label of all splits, and of the metric."""
        content: list[object] = [
            self.metric,
            list(self.classes),
            *(
                [list(e.first), list(e.second or ()), list(map(_plain, e.labels))]
                for e in (self.train, self.evaluation, *([self.validation] if self.validation else []))
            ),
        ]
        if self.scheduled is not None:
            content.append(self.scheduled)
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def _plain(label: Any) -> float | list[float]:
    return [float(one) for one in label] if isinstance(label, tuple) else float(label)
