"""The metrics: answers worked out by hand, degenerate cases, and properties."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stabbench.tasks.metrics import METRICS, Kind
from stabbench.tasks.scores import Score, accuracy, f1, mcc, spearman

KIND: dict[str, Kind] = {"accuracy": "multi-class", "f1": "binary", "mcc": "binary", "spearman": "regression"}


def formula(name: str) -> Score:
    return METRICS[name].formulas[KIND[name]]


def constant_score(name: str, labels: list[float]) -> float:
    return METRICS[name].constant_score(KIND[name], labels, 3 if KIND[name] == "multi-class" else 2)


BINARY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)
CLASSES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
SCORES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40)

# A busy machine, or the first import of scipy, is no failure.
UNTIMED = settings(deadline=None)

# 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
PREDICTIONS = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
LABELS = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0]


def test_accuracy_is_the_share_that_is_right() -> None:
    assert accuracy(PREDICTIONS, LABELS) == 0.7
    assert accuracy([0, 1, 2, 2], [0.0, 1.0, 2.0, 0.0]) == 0.75


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # Precision 3/4, recall 3/5.
    assert f1(PREDICTIONS, LABELS) == pytest.approx(2 * (3 / 4) * (3 / 5) / (3 / 4 + 3 / 5))
    assert f1(PREDICTIONS, LABELS) == 6 / 9


def test_mcc_is_the_textbooks_formula() -> None:
    assert mcc(PREDICTIONS, LABELS) == pytest.approx((3 * 4 - 1 * 2) / math.sqrt(4 * 5 * 5 * 6))
    assert mcc(LABELS, LABELS) == 1
    assert mcc([1 - y for y in LABELS], LABELS) == -1


def test_mcc_of_many_examples_does_not_overflow() -> None:
    half = np.arange(200_000) % 2
    assert mcc(half, half) == 1


def test_spearman_is_that_of_the_ranks() -> None:
    # Rank differences 0, 1, 1, 0: 1 - 6 * 2 / (4 * 15).
    assert spearman([1, 20, 10, 400], [1, 2, 3, 4]) == pytest.approx(0.8)
    assert spearman([1, 10, 100], [0.1, 0.2, 0.3]) == pytest.approx(1)
    assert spearman([3, 2, 1], [0.1, 0.2, 0.3]) == pytest.approx(-1)


def test_spearman_gives_ties_their_mean_rank() -> None:
    # Ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5, variances 1.5 and 2.
    assert spearman([0, 0, 7], [1, 2, 3]) == pytest.approx(1.5 / math.sqrt(1.5 * 2))


@pytest.mark.parametrize("name", ["mcc", "spearman"])
@pytest.mark.parametrize("constant", [0, 1])
def test_where_a_correlation_is_undefined_it_is_0(name: str, constant: int) -> None:
    score = formula(name)
    assert score([constant] * 10, LABELS) == 0
    assert score(PREDICTIONS, [constant] * 10) == 0
    assert score([constant] * 10, [constant] * 10) == 0


def test_f1_without_positives_is_0() -> None:
    assert f1([0, 0], [1, 0]) == 0
    assert f1([1, 0], [0, 0]) == 0
    assert f1([0, 0], [0, 0]) == 0


@UNTIMED
@given(CLASSES)
def test_accuracy_is_a_share(pairs: list[tuple[int, int]]) -> None:
    assert 0 <= accuracy(*zip(*pairs, strict=True)) <= 1


@UNTIMED
@given(BINARY)
def test_f1_and_mcc_keep_their_bounds(pairs: list[tuple[int, int]]) -> None:
    predictions, labels = zip(*pairs, strict=True)
    assert 0 <= f1(predictions, labels) <= 1
    assert -1 - 1e-12 <= mcc(predictions, labels) <= 1 + 1e-12


@UNTIMED
@given(SCORES)
def test_spearman_keeps_its_bounds(pairs: list[tuple[float, float]]) -> None:
    assert -1 - 1e-12 <= spearman(*zip(*pairs, strict=True)) <= 1 + 1e-12


@UNTIMED
@given(CLASSES, BINARY, SCORES, st.randoms())
def test_the_order_of_the_examples_does_not_matter(
    classes: list[tuple[int, int]],
    binary: list[tuple[int, int]],
    scores: list[tuple[float, float]],
    chance: random.Random,
) -> None:
    for name, pairs in (("accuracy", classes), ("f1", binary), ("mcc", binary), ("spearman", scores)):
        shuffled = chance.sample(pairs, len(pairs))
        score = formula(name)
        assert score(*zip(*shuffled, strict=True)) == pytest.approx(score(*zip(*pairs, strict=True)), abs=1e-9)


@UNTIMED
@given(BINARY)
def test_mcc_treats_both_classes_alike_and_is_symmetric(pairs: list[tuple[int, int]]) -> None:
    predictions, labels = (np.asarray(column) for column in zip(*pairs, strict=True))
    assert mcc(predictions, labels) == pytest.approx(mcc(1 - predictions, 1 - labels))
    assert mcc(predictions, labels) == pytest.approx(mcc(labels, predictions))


@UNTIMED
@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_the_constant_accuracy_is_the_best_constants(labels: list[int]) -> None:
    best = max(accuracy([constant] * len(labels), labels) for constant in range(3))
    assert constant_score("accuracy", labels) == best


@pytest.mark.parametrize("name", ["f1", "mcc"])
@UNTIMED
@given(labels=st.lists(st.integers(0, 1), min_size=1, max_size=40))
def test_the_constant_score_on_two_classes_is_the_best_constants(name: str, labels: list[int]) -> None:
    best = max(formula(name)([constant] * len(labels), labels) for constant in range(2))
    assert constant_score(name, labels) == best


@UNTIMED
@given(st.lists(NUMBERS, min_size=1, max_size=40), NUMBERS)
def test_the_constant_spearman_is_every_constants(labels: list[float], constant: float) -> None:
    assert spearman([constant] * len(labels), labels) == constant_score("spearman", labels)


@pytest.mark.parametrize("name", KIND)
def test_a_score_is_a_plain_float(name: str) -> None:
    assert type(formula(name)(np.asarray(PREDICTIONS), LABELS)) is float
    assert type(constant_score(name, LABELS)) is float
