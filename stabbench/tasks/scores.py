"""The formulas of the metrics: from predictions and labels to a number, larger is better.

GLUE's four stand here in full, so that no other package's version changes the numbers of stored runs; all others are
scikit-learn's, which is loaded when one of them is first used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Score = Callable[[ArrayLike, ArrayLike], float]


def accuracy(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The share of predictions that are right."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def exact_match(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The share of examples of which every label is right."""
    return float(np.mean((np.asarray(predictions) == np.asarray(labels)).all(-1)))


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
    p, y = np.asarray(predictions, dtype=float), np.asarray(labels, dtype=float)
    if np.ptp(p) == 0 or np.ptp(y) == 0:
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(p, y).statistic)


def pearson(predictions: ArrayLike, labels: ArrayLike) -> float:
    """Pearson's correlation; 0 where either is constant."""
    p, y = np.asarray(predictions, dtype=float), np.asarray(labels, dtype=float)
    if np.ptp(p) == 0 or np.ptp(y) == 0:
        return 0.0
    from scipy.stats import pearsonr

    found = float(_quiet(lambda: pearsonr(p, y).statistic))
    return found if math.isfinite(found) else 0.0  # so nearly constant that nothing is left of the differences


def balanced_accuracy(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The mean over the classes among the labels of the share that is recognised."""
    y = _whole(labels)
    # As balanced_accuracy_score, which warns of every class that is predicted and not there.
    return _sklearn("recall_score", y, _whole(predictions), labels=np.unique(y), average="macro", zero_division=0)


def macro_f1(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The mean over the classes of each one's F1."""
    return _sklearn("f1_score", _whole(labels), _whole(predictions), average="macro", zero_division=0)


def weighted_f1(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The mean over the classes of each one's F1, weighted by how many examples have it."""
    return _sklearn("f1_score", _whole(labels), _whole(predictions), average="weighted", zero_division=0)


def many_class_mcc(predictions: ArrayLike, labels: ArrayLike) -> float:
    """Matthews' correlation of two variables of several classes; 0 where either is constant."""
    return _sklearn("matthews_corrcoef", _whole(labels), _whole(predictions))


def roc_auc(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """The area under the ROC curve; of several classes the mean of each one's against the rest."""
    p, y = np.asarray(probabilities), _whole(labels)
    if p.ndim == 1 or p.ndim == y.ndim:
        return _sklearn("roc_auc_score", y, p)
    return _sklearn("roc_auc_score", y, p, multi_class="ovr", labels=np.arange(p.shape[1]))


def r2(predictions: ArrayLike, labels: ArrayLike) -> float:
    """The share of the labels' variance that is explained: 0 for their mean, 1 for all of it."""
    return _sklearn("r2_score", np.asarray(labels, dtype=float), np.asarray(predictions, dtype=float))


def _whole(numbers: ArrayLike) -> NDArray[np.int64]:
    return np.asarray(numbers).astype(np.int64)


def _sklearn(name: str, *arguments: object, **options: object) -> float:
    import sklearn.metrics

    return float(_quiet(lambda: getattr(sklearn.metrics, name)(*arguments, **options)))


def _quiet(score: Callable[[], float]) -> float:
    """Without warnings of degenerate predictions: a collapsed run is what is measured here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return score()
