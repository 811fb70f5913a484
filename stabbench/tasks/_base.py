"""What a task is: labelled examples to train on and to score, and the metric that scores them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stabbench.errors import TaskError
from stabbench.tasks.metrics import METRICS


@dataclass(frozen=True)
class Examples:
    """Labelled texts.

    Attributes:
        first: The text, or the first of a pair.
        second: The second of a pair; None for a task on single sentences.
        labels: Class numbers, or scores for a regression task.
    """

    first: Sequence[str]
    second: Sequence[str] | None
    labels: Sequence[float]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Task:
    """A task with its data.

    Attributes:
        name: Such as ``glue/rte``.
        metric: A key of :data:`stabbench.tasks.metrics.METRICS`.
        classes: Names of the classes in the order of their numbers; empty for regression.
        train: Examples to train on.
        evaluation: Examples to score, GLUE's development set.
        source: Where the data came from, in words.
        validation: Examples to choose the best of several evaluations by; None where there are none apart from
            ``evaluation``.
        scheduled: The number of examples by which recipes count their epochs, if not that of ``train``.
    """

    name: str
    metric: str
    classes: tuple[str, ...]
    train: Examples
    evaluation: Examples
    source: str
    validation: Examples | None = None
    scheduled: int | None = None

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
    def schedule_size(self) -> int:
        """The number of examples by which recipes count their epochs."""
        return len(self.train) if self.scheduled is None else self.scheduled

    @cached_property
    def constant_score(self) -> float:
        """The score of the best constant predictor on the evaluation set: at or below it, a run has failed."""
        return METRICS[self.metric].constant_score(self.evaluation.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every example and label of all splits, and of the metric."""
        content: list[object] = [
            self.metric,
            list(self.classes),
            *(
                [list(e.first), list(e.second or ()), [float(label) for label in e.labels]]
                for e in (self.train, self.evaluation, *([self.validation] if self.validation else []))
            ),
        ]
        if self.scheduled is not None:
            content.append(self.scheduled)
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()
