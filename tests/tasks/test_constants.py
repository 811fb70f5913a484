"""The best constant predictor of every metric, against all constants there are; and scikit-learn's own answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

import stabbench
from stabbench.errors import TaskError
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.metrics import METRICS, find_metric, hot
from stabbench.tasks.scores import accuracy, f1

QUICK = settings(max_examples=30)
CLASSES = st.lists(st.integers(0, 2), min_size=3, max_size=20)
PREDICTED = np.array([0, 2, 1, 1, 0, 2, 2, 0])
LABELS = np.array([0, 1, 1, 2, 0, 2, 1, 0])


@QUICK
@given(CLASSES)
@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if "multi-class" in m.formulas and not m.probabilities])
def test_no_constant_class_scores_more(name: str, labels: list[int]) -> None:
    metric = METRICS[name]
    every = [metric.score("multi-class", np.full(len(labels), float(c)), labels) for c in range(3)]
    assert metric.constant_score("multi-class", labels, 3) == max(every)


@QUICK
@given(st.lists(st.sets(st.integers(0, 2)).map(lambda s: tuple(sorted(s))), min_size=2, max_size=12))
@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "weighted_f1"])
def test_no_constant_set_of_classes_scores_more(name: str, labels: list[tuple[int, ...]]) -> None:
    metric, targets = METRICS[name], hot(labels, 3)
    every = [
        metric.score("multi-label", np.tile(constant, (len(labels), 1)), targets)
        for constant in itertools.product((0, 1), repeat=3)
    ]
    assert metric.constant_score("multi-label", targets, 3) == pytest.approx(max(every), abs=1e-12)


def test_of_a_regression() -> None:
    labels = [0.0, 1.0, 1.5, 9.0]
    assert METRICS["r2"].constant_score("regression", labels, 0) == pytest.approx(0, abs=1e-12)
    assert METRICS["pearson"].constant_score("regression", labels, 0) == 0
    assert METRICS["spearman"].constant_score("regression", labels, 0) == 0


@pytest.mark.parametrize("kind", ["binary", "multi-class", "multi-label"])
def test_a_constant_ranks_nothing(kind: str) -> None:
    labels = {"binary": LABELS % 2, "multi-class": LABELS, "multi-label": hot([(0,), (1, 2), (0, 1), (2,)], 3)}[kind]
    assert METRICS["roc_auc"].constant_score(kind, labels, 2 if kind == "binary" else 3) == pytest.approx(0.5)


def test_where_a_metric_is_not_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TaskError, match="'roc_auc' is not defined on this evaluation set"):
        METRICS["roc_auc"].constant_score("multi-label", hot([(0,), (0, 1)], 2), 2)


def test_the_scores_are_those_of_scikit_learn() -> None:
    def score(name: str) -> float:
        return METRICS[name].score("multi-class", PREDICTED.astype(float), LABELS.astype(float))

    assert score("balanced_accuracy") == pytest.approx(reference.balanced_accuracy_score(LABELS, PREDICTED))
    assert score("macro_f1") == pytest.approx(reference.f1_score(LABELS, PREDICTED, average="macro"))
    assert score("weighted_f1") == pytest.approx(reference.f1_score(LABELS, PREDICTED, average="weighted"))
    assert score("mcc") == pytest.approx(reference.matthews_corrcoef(LABELS, PREDICTED))
    assert score("accuracy") == reference.accuracy_score(LABELS, PREDICTED)
    assert METRICS["mcc"].score("binary", PREDICTED % 2, LABELS % 2) == pytest.approx(
        reference.matthews_corrcoef(LABELS % 2, PREDICTED % 2)
    )


def test_a_perfect_prediction_scores_1() -> None:
    for name, metric in METRICS.items():
        for kind in metric.formulas:
            labels = {"binary": LABELS % 2, "regression": LABELS / 2, "multi-label": hot([(0,), (1, 2), (2, 0)], 3)}
            truth = labels.get(kind, LABELS)
            predictions = np.eye(3)[truth] if metric.probabilities and kind == "multi-class" else truth
            assert metric.score(kind, predictions, truth) == pytest.approx(1), (name, kind)


def test_a_class_that_is_predicted_and_not_there_is_no_warning() -> None:
    assert METRICS["balanced_accuracy"].score("multi-class", [2.0, 1.0], [0.0, 1.0]) == 0.5
    assert METRICS["macro_f1"].score("multi-class", [2.0, 1.0], [0.0, 1.0]) == pytest.approx(1 / 3)


@QUICK
@given(st.lists(st.integers(0, 1), min_size=1, max_size=30))
def test_the_constant_scores_of_glue_are_those_of_before(labels: list[int]) -> None:
    _, counts = np.unique(labels, return_counts=True)
    before = {
        "accuracy": float(counts.max() / counts.sum()),
        "f1": f1(np.ones(len(labels)), labels),
        "mcc": 0.0,
        "spearman": 0.0,
    }
    assert {spec.metric for spec in GLUE_TASKS.values()} == set(before)
    for name, score in before.items():
        kind = "regression" if name == "spearman" else "binary"
        assert METRICS[name].constant_score(kind, labels, 0 if name == "spearman" else 2) == score


def test_a_metric_of_ones_own() -> None:
    @stabbench.metric(kinds=("binary",), probabilities=True)
    def minus_brier(probabilities: np.ndarray, labels: np.ndarray) -> float:
        return -float(np.mean((probabilities - labels) ** 2))

    found = find_metric("minus_brier")
    assert found is minus_brier
    # No class is as good a guess as the share of class 1.
    assert found.constant_score("binary", [0, 0, 0, 1], 2) == pytest.approx(-0.1875)
    assert minus_brier(np.array([0.0]), np.array([1.0])) == -1


def test_a_metric_that_is_wrong() -> None:
    with pytest.raises(TaskError, match="two metrics are named 'accuracy'"):
        stabbench.metric(accuracy)
    with pytest.raises(TaskError, match="unknown kind of labels 'binari'"):
        stabbench.metric(kinds=("binari",), name="x")(lambda p, y: 0.0)
    with pytest.raises(TaskError, match="is 7, and no function"):
        stabbench.metric(7)  # type: ignore[call-overload]

    @stabbench.metric
    def nothing(predictions: np.ndarray, labels: np.ndarray) -> float:
        return float("nan")

    with pytest.raises(TaskError, match="'nothing' gives no finite number for any constant"):
        nothing.constant_score("binary", [0, 1], 2)
    with pytest.raises(ValueError, match="'nothing' gave nan"):
        nothing.score("binary", [0, 1], [0, 1])
