"""The paired test: its size on banks without a difference, its terms by hand, and what it refuses."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stabbench.statistics import paired_test

BANKS = 1_000


def bank(rng: np.random.Generator, easiness: NDArray[np.float64], std: float, shift: float = 0.0) -> NDArray[np.bool_]:
    shifts = std * rng.choice([-1.0, 1.0], size=(8, 1))
    return rng.random((8, len(easiness))) < easiness + shifts + shift


@pytest.mark.parametrize("std", [0.0, 0.05])
def test_its_size_is_right_whether_models_differ_or_not(std: float) -> None:
    """At .05 in each direction; of 1,000 banks at most 7%: more come by chance with a probability of .3%."""
    rng = np.random.default_rng(3)
    worse = better = these = 0
    for _ in range(BANKS):
        easiness = rng.uniform(0.2, 0.8, 80)
        found = paired_test(bank(rng, easiness, std), bank(rng, easiness, std))
        worse += (found.p_worse or 0) < 0.05
        better += (found.p_better or 0) < 0.05
        these += (found.p_these_runs or 0) < 0.05
    assert max(worse, better) <= 0.07 * BANKS
    # For these runs alone it is another question: where models differ, the answer is "yes" more often.
    assert (these > 0.1 * BANKS) == (std > 0)


def test_a_difference_is_found_and_has_its_sign() -> None:
    rng = np.random.default_rng(4)
    easiness = rng.uniform(0.2, 0.7, 400)
    found = paired_test(bank(rng, easiness, 0.01, 0.2), bank(rng, easiness, 0.01))
    assert found.low <= 0.2 <= found.high
    assert found.p_better is not None
    assert found.p_better < 0.001
    assert found.p_worse == pytest.approx(1 - found.p_better)
    back = paired_test(bank(rng, easiness, 0.01), bank(rng, easiness, 0.01, 0.2))
    assert back.difference < -0.1


def test_where_nothing_varies_there_is_no_p() -> None:
    same = np.tile([True, False, True], (3, 1))
    found = paired_test(same, same)
    assert (found.difference, found.p_worse, found.p_better, found.p_these_runs) == (0, None, None, None)
    assert found.note


def test_runs_that_fail_on_everything_are_no_reason_to_believe_the_examples() -> None:
    """Every example agrees that the candidate is worse, yet it is one run of two that is."""
    candidate, reference = np.array([[True] * 50, [False] * 50]), np.ones((4, 50), bool)
    found = paired_test(candidate, reference)
    assert found.difference == -0.5
    assert found.p_worse is not None
    assert found.p_worse > 0.2
    assert found.p_these_runs is None


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [((1, 5), (3, 5), "at least two runs"), ((3, 5), (3, 6), "cannot be paired"), ((3,), (3, 5), "at least two")],
)
def test_what_cannot_be_paired_is_refused(one: tuple[int, ...], other: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_test(np.zeros(one), np.zeros(other))
