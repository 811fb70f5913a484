"""What the spread is made of: unbiased on simulated banks, and the known values of the measures of agreement."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from stabbench.statistics import (
    SpreadParts,
    answer_counts,
    coded,
    disagreement,
    fleiss_kappa,
    jensen_shannon,
    spread_parts,
)

BANKS = 1_000
RUNS, EXAMPLES = 8, 60
# Every model is right on an example with the example's probability, plus its own shift: this is its standard deviation.
MODEL_STD = 0.05


def bank(rng: np.random.Generator) -> NDArray[np.bool_]:
    probabilities = rng.uniform(0.2, 0.8, EXAMPLES)
    # Two points, so that no probability leaves [0, 1] and the standard deviation is exact.
    shifts = MODEL_STD * rng.choice([-1.0, 1.0], size=(RUNS, 1))
    return rng.random((RUNS, EXAMPLES)) < probabilities + shifts


def unbiased(found: list[float], truth: float) -> bool:
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found))
    return abs(float(np.mean(found)) - truth) <= 2 * error


@pytest.fixture(scope="module")
def banks() -> list[NDArray[np.bool_]]:
    rng = np.random.default_rng(1)
    return [bank(rng) for _ in range(BANKS)]


@pytest.fixture(scope="module")
def parts(banks: list[NDArray[np.bool_]]) -> list[SpreadParts]:
    return [spread_parts(each) for each in banks]


def test_estimators_are_unbiased_on_simulated_banks(banks: list[NDArray[np.bool_]], parts: list[SpreadParts]) -> None:
    """The truth is known: the variance of accuracy on endless examples is that of the shifts, and what the evaluation
    set adds is the mean of p (1 - p) over examples and models, less what the shifts take of it, divided by n.
    """
    assert unbiased([found.models.estimate for found in parts if found.models.estimate is not None], MODEL_STD**2)
    # p is uniform on [.2, .8]: its mean is .5, and this the mean of its square.
    mean_square = (0.8**3 - 0.2**3) / (3 * 0.6)
    within = 0.5 - mean_square - MODEL_STD**2  # of one model on one example, over both shifts
    assert unbiased([found.examples.estimate or 0.0 for found in parts], within / EXAMPLES)
    # Two new runs differ on an example where one is right and the other wrong: 2 q (1 - q) with both shifts averaged.
    differ = 2 * (0.5 - mean_square)
    assert unbiased([disagreement(coded(each)) for each in banks], differ)


def test_the_interval_of_the_models_part_holds_it(parts: list[SpreadParts]) -> None:
    """At 95%, of 1,000 banks at least 93%: that fewer do by chance has a probability of .3%."""
    held = sum((part.models.low or 0.0) <= MODEL_STD**2 <= (part.models.high or 0.0) for part in parts)
    assert held / BANKS >= 0.93


def test_models_that_do_not_differ_have_no_part_of_their_own() -> None:
    same = np.tile(np.arange(20) < 12, (5, 1))
    parts = spread_parts(same)
    assert (parts.total, parts.models.estimate, parts.examples.estimate) == (0, 0, 0)
    assert (parts.runs, parts.number) == (5, 20)


def test_models_that_are_right_or_wrong_on_everything_differ_by_themselves_alone() -> None:
    parts = spread_parts(np.repeat([[True], [False]], 50, axis=1))
    assert parts.total == 0.5
    assert parts.models.estimate == pytest.approx(0.5)
    assert parts.examples.estimate == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (0, 0), (5,)])
def test_one_run_or_one_example_has_no_parts(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two runs"):
        spread_parts(np.zeros(shape, bool))


def test_fleiss_kappa_of_his_own_table() -> None:
    """Fleiss 1971, table 1 as it is usually quoted: 14 raters, 10 subjects, 5 categories, kappa .210."""
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    codes = np.array([[c for c, times in enumerate(row) for _ in range(times)] for row in counts]).T
    assert answer_counts(codes).tolist() == counts
    assert fleiss_kappa(codes) == pytest.approx(0.210, abs=5e-4)


def test_kappa_needs_two_answers() -> None:
    assert fleiss_kappa(coded([[1, 1], [1, 1]])) is None
    assert fleiss_kappa(coded([[0, 1], [0, 1]])) == 1


@given(arrays.arrays(np.int8, st.tuples(st.integers(2, 6), st.integers(1, 9)), elements=st.integers(0, 3)))
def test_disagreement_is_the_mean_over_pairs(predictions: NDArray[np.int8]) -> None:
    pairs = [(a != b).mean() for i, a in enumerate(predictions) for b in predictions[:i]]
    assert disagreement(coded(predictions)) == pytest.approx(np.mean(pairs))


def test_sets_of_labels_are_equal_as_a_whole() -> None:
    sets = np.array([[[1, 0], [0, 1]], [[1, 0], [1, 1]]])
    assert disagreement(coded(sets)) == 0.5
    assert disagreement(coded([["yes", "no"], ["yes", "yes"]])) == 0.5


def test_divergence_of_runs_that_are_sure_of_opposites_is_one_bit() -> None:
    assert jensen_shannon([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx(1)
    assert jensen_shannon([[0.3, 0.9], [0.3, 0.9]]) == pytest.approx(0, abs=1e-12)


@given(arrays.arrays(np.float64, (3, 4), elements=st.just(0.0) | st.floats(1e-9, 1)))
def test_divergence_is_the_mean_over_pairs(shares: NDArray[np.float64]) -> None:
    from scipy.spatial.distance import jensenshannon

    with np.errstate(invalid="ignore"):  # the root of a zero that rounding has made negative
        found = [
            jensenshannon([p, 1 - p], [q, 1 - q], base=2) ** 2
            for i, one in enumerate(shares) for other in shares[:i] for p, q in zip(one, other, strict=True)
        ]  # fmt: skip
    assert jensen_shannon(shares) == pytest.approx(np.nan_to_num(found).mean(), abs=1e-6)
