"""The best constant predictor, found by trying: a run that scores no more than it has learnt nothing.

What is tried: of classes each one; of numbers the mean and the median; of sets of classes each set that occurs (the
most common hundred) and, class by class from the most common on, ever larger ones: among these is the best for accuracy
and for every F1. Where probabilities are scored, the shares of the classes as well. A score that is not finite counts
for nothing; the correlations are 0 for all constants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stabbench.tasks.scores import Score

MOST_SETS = 100


def best_constant_score(
    formula: Score, kind: str, labels: NDArray[Any], classes: int, probabilities: bool
) -> float | None:
    """The largest finite score of a constant prediction; None where none is finite.

    Args:
        formula: The metric's, for this kind of labels.
        kind: As in :data:`stabbench.tasks.metrics.Kind`.
        labels: Of the evaluation set.
        classes: How many there are; 0 for a regression.
        probabilities: The predictions are probabilities.
    """
    found = []
    for constant in _constants(kind, labels, classes, probabilities):
        predictions = np.broadcast_to(constant, (len(labels), *np.shape(constant)))
        score = formula(predictions, labels)
        if math.isfinite(score):
            found.append(float(score))
    return max(found, default=None)


def constant_loss(kind: str, labels: NDArray[Any], classes: int) -> float:
    """The training loss of the best constant predictor: the labels' entropy in nats, or the variance of numbers.

    Args:
        kind: As in :data:`stabbench.tasks.metrics.Kind`.
        labels: Of the training set.
        classes: How many there are; 0 for a regression. Of several labels each is a choice of two, and the mean counts.
    """
    if kind == "regression":
        return float(np.var(labels, dtype=float))
    if kind == "multi-label":
        rates = np.mean(labels, axis=0, dtype=float)
        shares = np.stack([rates, 1 - rates])
    else:
        shares = np.bincount(labels.astype(np.int64), minlength=classes)[:, None] / len(labels)
    return float(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(0).mean())


def _constants(kind: str, labels: NDArray[Any], classes: int, probabilities: bool) -> Iterator[Any]:
    if kind == "regression":
        yield from (np.mean(labels, dtype=float), np.median(labels))
    elif kind == "multi-label":
        yield from _sets(labels)
        if probabilities:
            yield labels.mean(0)
    elif not probabilities:
        yield from map(float, range(classes))
    elif kind == "binary":
        yield from (0.0, 1.0, float(np.mean(labels == 1)))
    else:
        yield from np.eye(classes)
        yield np.bincount(labels.astype(np.int64), minlength=classes) / len(labels)


def _sets(labels: NDArray[Any]) -> Iterator[NDArray[Any]]:
    sets, counts = np.unique(labels, axis=0, return_counts=True)
    yield from sets[np.argsort(-counts, kind="stable")[:MOST_SETS]]
    chosen = np.zeros(labels.shape[1], dtype=labels.dtype)
    yield chosen.copy()
    for label in np.argsort(-labels.sum(0), kind="stable"):
        chosen[label] = 1
        yield chosen.copy()
