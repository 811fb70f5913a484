"""The score of the best constant predictor from a column of labels: ``labels = "dev.csv:label"``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stabbench.errors import TaskError, excerpt
from stabbench.tasks.files.declaration import Part
from stabbench.tasks.files.labels import Labels, read_labels
from stabbench.tasks.files.parts import read_part
from stabbench.tasks.metrics import Kind, find_metric, hot
from stabbench.trainings.training import TrainingError


def labels_file(where: str, folder: Path, labels: str) -> tuple[Path, str]:
    """The file and the column of ``dev.csv:label``.

    Raises:
        TrainingError: It names none.
    """
    file, colon, column = labels.rpartition(":")
    if not colon or not file or not column:
        raise TrainingError(f"{where}: labels {excerpt(labels)} names no column", 'such as labels = "dev.csv:label"')
    return folder / file, column


def constant_score(where: str, file: Path, column: str, metric: str) -> float:
    """The score of the best constant predictor of the labels in a column.

    Raises:
        TrainingError: The labels cannot be read, or the metric does not score such labels.
    """
    try:
        labels = read_labels(read_part(Part(path=str(file))), [column])
        found = find_metric(metric)
        kind, values, classes = _numbers(labels, regression=set(found.formulas) == {"regression"})
        if kind not in found.formulas:
            known = ", ".join(found.formulas)
            raise TrainingError(f"{where}: metric {metric!r} scores {known} labels, and those of {file} are {kind}")
        return found.constant_score(kind, values, classes)
    except TaskError as error:
        raise TrainingError(f"{where}: {error.message}", error.hint) from error


def _numbers(labels: Labels, *, regression: bool) -> tuple[Kind, NDArray[Any], int]:
    """What the labels are, the labels as numbers, and how many classes there are."""
    if not labels.several and (regression or labels.continuous):
        return "regression", np.asarray(labels.numbers()), 0
    classes = labels.classes()
    numbers = labels.class_numbers(classes)
    if labels.several:
        return "multi-label", hot(numbers, len(classes)), len(classes)
    return "binary" if len(classes) == 2 else "multi-class", np.asarray(numbers), len(classes)
