"""The metrics of GLUE, each with the score of the best constant predictor.

Predictions are class numbers (or numbers, for regression), as are labels. A predictor that is constant where the
metric is undefined for it (MCC, Spearman) scores 0, which is also those metrics' constant score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Metric:
    """A score, larger is better, and what the best constant predictor gets.

    Attributes:
        score: From predictions and labels, both of length n, to a number.
        constant_score: From the labels of the evaluation set to the best constant predictor's score.
    """

    score: Callable[[ArrayLike, ArrayLike], float]
    constant_score: Callable[[Sequence[float]], float]


def accuracy(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The share of predictions that are right."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def f1(predictions: ArrayLike, labels: ArrayLike) -> float:
    """F1 of class 1; 0 where nothing is predicted or labelled 1."""
    p, y = np.asarray(predictions) == 1, np.asarray(labels) == 1
    found, claimed = int((p & y).sum()), int(p.sum() + y.sum())
    return 2 * found / claimed if claimed else 0.0


def mcc(predictions: ArrayLike, labels: ArrayLike) -> float:
    """Matthews' correlation of two binary variables; 0 where either is constant."""
    p, y = np.asarray(predictions) == 1, np.asarray(labels) == 1
    tp, tn = int((p & y).sum()), int((~p & ~y).sum())
    fp, fn = int((p & ~y).sum()), int((~p & y).sum())
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(spread) if spread else 0.0


def spearman(predictions: ArrayLike, labels: ArrayLike) -> float:
    """Spearman's rank correlation; 0 where either is constant."""
    from scipy.stats import spearmanr

    p, y = np.asarray(predictions, dtype=float), np.asarray(labels, dtype=float)
    if np.ptp(p) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(spearmanr(p, y).statistic)


def _majority_share(labels: Sequence[float]) -> float:
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return float(counts.max() / counts.sum())


def _always_positive_f1(labels: Sequence[float]) -> float:
    return f1(np.ones(len(labels)), labels)


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric(accuracy, _majority_share),
    "f1": Metric(f1, _always_positive_f1),
    "mcc": Metric(mcc, lambda _: 0.0),
    "spearman": Metric(spearman, lambda _: 0.0),
}
