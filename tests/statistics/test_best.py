"""The best of a few tries, against every way to choose them."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import expected_best

scores = st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=1, max_size=6)


def test_a_known_answer() -> None:
    assert expected_best([1, 2, 3], 2) == pytest.approx(8 / 3)
    assert expected_best([1, 2, 3], 2, replacement=True) == pytest.approx(22 / 9)


@given(scores, st.data())
def test_it_is_the_mean_over_all_subsets(values: list[float], data: st.DataObject) -> None:
    tries = data.draw(st.integers(1, len(values)))
    best = statistics.fmean(max(chosen) for chosen in itertools.combinations(values, tries))
    assert expected_best(values, tries) == pytest.approx(best)


@given(scores, st.integers(1, 4))
def test_with_replacement_it_is_the_mean_over_all_sequences(values: list[float], tries: int) -> None:
    best = statistics.fmean(max(chosen) for chosen in itertools.product(values, repeat=tries))
    assert expected_best(values, tries, replacement=True) == pytest.approx(best)


@given(scores, st.randoms(use_true_random=False))
def test_more_tries_are_never_worth_less_and_the_order_does_not_matter(values: list[float], random: object) -> None:
    worth = [expected_best(values, tries) for tries in range(1, len(values) + 1)]
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(worth))
    assert worth[-1] == pytest.approx(max(values))
    mixed = list(values)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert [expected_best(mixed, tries) for tries in range(1, len(values) + 1)] == worth


def test_with_replacement_there_may_be_more_tries_than_scores() -> None:
    assert expected_best([0.5, 0.7], 50, replacement=True) == pytest.approx(0.7)


@pytest.mark.parametrize(("values", "tries"), [([], 1), ([0.5], 0), ([0.5], -1), ([0.5, 0.6], 3)])
def test_what_is_not_defined_is_refused(values: list[float], tries: int) -> None:
    with pytest.raises(ValueError, match="not defined"):
        expected_best(values, tries)


def test_without_scores_nothing_is_defined_with_replacement_either() -> None:
    with pytest.raises(ValueError, match="of 0 runs"):
        expected_best([], 1, replacement=True)
