"""Metrics by name: GLUE's, scikit-learn's, those of installed packages and of ``--plugin`` modules.

A metric of one's own is a function with a decorator, in a plugin or any module::

    @stabbench.metric
    def cost(predictions, labels):
        return -np.mean(5 * (predictions < labels) + (predictions > labels))

A package offers one through the entry-point group ``stabbench.metrics``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Literal, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stabbench.errors import TaskError, excerpt
from stabbench.tasks import scores
from stabbench.tasks.constants import best_constant_score
from stabbench.tasks.offered import Offered
from stabbench.tasks.scores import Score

#: What the labels of a task are: one of two classes, one of several, a set of classes, or a number.
Kind = Literal["binary", "multi-class", "multi-label", "regression"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Metric:
    """A score, larger is better.

    Attributes:
        name: As tasks name it.
        formulas: For each kind of labels that it can score, the function: from predictions and labels of n examples to
            a number. Both are class numbers ``[n]``, scores of a regression ``[n]``, or, of several labels at once,
            0 and 1 ``[n, classes]``.
        probabilities: The predictions are probabilities: of class 1 ``[n]``, of all classes ``[n, classes]``, or of
            each label ``[n, classes]``.
        function: A user's own function, None for the built-in ones, whose code is part of the identity of runs.
    """

    name: str
    formulas: Mapping[Kind, Score]
    probabilities: bool = False
    function: Any = None

    def __call__(self, predictions: ArrayLike, labels: ArrayLike) -> float:
        """As the function that it was made from."""
        return next(iter(self.formulas.values()))(predictions, labels)

    def score(self, kind: Kind, predictions: ArrayLike, labels: ArrayLike) -> float:
        """The score of finite predictions.

        Raises:
            ValueError: A user's metric gives no number.
        """
        found = self.formulas[kind](np.asarray(predictions), np.asarray(labels))
        if self.function is not None:
            found = _number(self.name, found)
        return found

    def constant_score(self, kind: Kind, labels: ArrayLike, classes: int) -> float:
        """The score of the best of the constant predictors, each of which is tried (:mod:`stabbench.tasks.constants`).

        Raises:
            TaskError: None of them has a finite score.
        """
        best = best_constant_score(self.formulas[kind], kind, np.asarray(labels), classes, self.probabilities)
        if best is None and self.function is None:
            raise TaskError(
                f"metric {self.name!r} is not defined on this evaluation set",
                "it needs rows of every class there, and of several labels rows with and without each",
            )
        if best is None:
            raise TaskError(
                f"metric {self.name!r} gives no finite number for any constant prediction",
                "let it return a number for those, 0 where it is undefined: a run that is no better has failed",
            )
        return best


def _number(name: str, found: object) -> float:
    try:
        number = float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"metric {name!r} gave {excerpt(found)}, which is no number") from None
    if not math.isfinite(number):
        raise ValueError(f"metric {name!r} gave {number} for finite predictions")
    return number


def _metric(name: str, probabilities: bool = False, **formulas: Score) -> Metric:
    kinds: dict[str, Kind] = {kind.replace("-", "_"): kind for kind in KINDS}
    return Metric(name, {kinds[kind]: formula for kind, formula in formulas.items()}, probabilities)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric("accuracy", binary=scores.accuracy, multi_class=scores.accuracy, multi_label=scores.exact_match),
        _metric("balanced_accuracy", binary=scores.balanced_accuracy, multi_class=scores.balanced_accuracy),
        _metric("f1", binary=scores.f1),
        _metric("macro_f1", binary=scores.macro_f1, multi_class=scores.macro_f1, multi_label=scores.macro_f1),
        _metric(
            "weighted_f1", binary=scores.weighted_f1, multi_class=scores.weighted_f1, multi_label=scores.weighted_f1
        ),
        _metric("mcc", binary=scores.mcc, multi_class=scores.many_class_mcc),
        _metric("roc_auc", True, binary=scores.roc_auc, multi_class=scores.roc_auc, multi_label=scores.roc_auc),
        _metric("r2", regression=scores.r2),
        _metric("pearson", regression=scores.pearson),
        _metric("spearman", regression=scores.spearman),
    )
}

#: What a task file takes that names none.
USUAL_METRICS: Mapping[Kind, str] = {
    "binary": "accuracy",
    "multi-class": "accuracy",
    "multi-label": "macro_f1",
    "regression": "r2",
}

_offered = Offered("metric", "stabbench.metrics", METRICS, lambda name, value: _made(name, value))


def find_metric(name: str) -> Metric:
    """A metric by its name.

    Raises:
        TaskError: No such metric.
    """
    return _offered.find(name)


def metric_names() -> list[str]:
    """Names of all known metrics."""
    return list(_offered.all())


def metrics_of(module: str) -> list[str]:
    """Names of the metrics that a module defines."""
    return _offered.added_by(module)


@overload
def metric(function: Score) -> Metric: ...
@overload
def metric(*, kinds: Sequence[Kind] = ..., probabilities: bool = ..., name: str = ...) -> Callable[[Score], Metric]: ...
def metric(
    function: Score | None = None,
    *,
    kinds: Sequence[Kind] = KINDS,
    probabilities: bool = False,
    name: str = "",
) -> Metric | Callable[[Score], Metric]:
    """Make a function a metric that tasks can name, as a decorator with or without arguments.

    Args:
        function: From predictions and labels, numpy arrays as in :class:`Metric`, to a number, larger is better.
        kinds: Of labels, that it can score: ``"binary"``, ``"multi-class"``, ``"multi-label"``, ``"regression"``.
        probabilities: It wants probabilities in place of class numbers.
        name: If not the function's own.

    Raises:
        TaskError: The name is taken, or a kind that does not exist.
    """
    if function is None:
        return lambda given: metric(given, kinds=kinds, probabilities=probabilities, name=name)  # type: ignore[call-overload]
    made = _from_function(name or getattr(function, "__name__", ""), function, kinds, probabilities)
    assert made.function is not None
    _offered.add(made.name, made, f"{made.function.__module__}:{made.function.__qualname__}")
    return made


def _from_function(name: str, function: Score, kinds: Sequence[Kind] = KINDS, probabilities: bool = False) -> Metric:
    if not isinstance(function, FunctionType):
        raise TaskError(f"metric {excerpt(name)} is {excerpt(function)}, and no function")
    for kind in kinds:
        if kind not in KINDS:
            raise TaskError(f"metric {name!r}: unknown kind of labels {excerpt(kind)}", f"one of: {', '.join(KINDS)}")
    return Metric(name, dict.fromkeys(kinds, function), probabilities, function)


def _made(name: str, value: Any) -> Metric:
    """A metric from what an entry point names: one, or a plain function."""
    if isinstance(value, Metric):
        return value
    if callable(value):
        return _from_function(name, value)
    raise TypeError(f"{excerpt(value)} is neither a metric nor a function")


def hot(labels: Sequence[Sequence[int]], classes: int) -> NDArray[np.int64]:
    """Sets of classes as 0 and 1, ``[n, classes]``."""
    made = np.zeros((len(labels), classes), dtype=np.int64)
    for row, chosen in enumerate(labels):
        made[row, list(chosen)] = 1
    return made
