"""The best of a few tries, against every way to choose them."""

import itertools
import math
import statistics
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import expected_best, expected_selected

scores = st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=1, max_size=6)
# Of (validation, test): few different validation scores, so that many tie.
runs = st.lists(st.tuples(st.sampled_from([0.25, 0.5, 0.75]), st.integers(0, 64).map(lambda k: k / 64)), min_size=1)
few_runs = runs.map(lambda pairs: pairs[:5])


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


def selected(draws: Iterable[tuple[tuple[float, float], ...]]) -> tuple[float, float]:
    """Mean and standard deviation of the test scores, every draw's tied best being its choice equally often."""
    moments = []
    for drawn in draws:
        best = max(validation for validation, _ in drawn)
        tied = [Fraction(test) for validation, test in drawn if validation == best]
        moments.append((sum(tied) / len(tied), sum(t**2 for t in tied) / len(tied)))
    mean, square = (sum(moment) / len(moments) for moment in zip(*moments, strict=True))
    return float(mean), math.sqrt(square - mean**2)


def test_a_known_selection() -> None:
    """Of two draws with replacement the best is the last with chance 5/9, the middle 3/9, the first 1/9."""
    mean, std = expected_selected([1, 2, 3], [9, 18, 0], 2)
    assert mean == pytest.approx(7)  # (9 + 54) / 9
    assert std == pytest.approx(math.sqrt(68))  # (81 + 3 * 324) / 9 - 49
    # Without, the first never is, and the last is in two of three pairs.
    assert expected_selected([1, 2, 3], [9, 18, 0], 2, replacement=False) == pytest.approx((6, math.sqrt(72)))


def test_runs_that_tie_in_validation_share_their_weight() -> None:
    mean, std = expected_selected([0.5, 0.5, 0.1], [0.9, 0.7, 0.2], 3, replacement=False)
    assert (mean, std) == pytest.approx((0.8, 0.1))


@given(few_runs, st.integers(1, 4))
def test_the_selected_is_counted_over_all_sequences(pairs: list[tuple[float, float]], tries: int) -> None:
    validation, test = zip(*pairs, strict=True)
    expected = selected(itertools.product(pairs, repeat=tries))
    assert expected_selected(validation, test, tries) == pytest.approx(expected, abs=1e-7)


@given(few_runs, st.data())
def test_without_replacement_it_is_counted_over_all_subsets(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    validation, test = zip(*pairs, strict=True)
    tries = data.draw(st.integers(1, len(pairs)))
    expected = selected(itertools.combinations(pairs, tries))
    assert expected_selected(validation, test, tries, replacement=False) == pytest.approx(expected, abs=1e-7)


@given(scores, st.data(), st.booleans())
def test_selected_by_the_test_score_itself_it_is_the_best(
    values: list[float], data: st.DataObject, replacement: bool
) -> None:
    tries = data.draw(st.integers(1, len(values)))
    mean, _ = expected_selected(values, values, tries, replacement=replacement)
    assert mean == pytest.approx(expected_best(values, tries, replacement=replacement))


@given(runs, st.randoms(use_true_random=False), st.integers(1, 60))
def test_the_order_of_runs_and_the_scale_of_validation_do_not_matter(
    pairs: list[tuple[float, float]], random: object, tries: int
) -> None:
    mixed = list(pairs)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    validation, test = zip(*mixed, strict=True)
    expected = expected_selected([v for v, _ in pairs], [t for _, t in pairs], tries)
    assert expected_selected([math.exp(v) for v in validation], test, tries) == expected


@pytest.mark.parametrize(("runs", "tries"), [(0, 1), (1, 0), (1, -1)])
def test_a_selection_that_is_not_defined_is_refused(runs: int, tries: int) -> None:
    with pytest.raises(ValueError, match="not defined"):
        expected_selected([0.5] * runs, [0.5] * runs, tries)


def test_more_tries_than_runs_need_replacement() -> None:
    assert expected_selected([1, 2], [0.7, 0.5], 60) == pytest.approx((0.5, 0), abs=1e-8)
    with pytest.raises(ValueError, match="best of 3 of 2 runs is not defined"):
        expected_selected([1, 2], [0.7, 0.5], 3, replacement=False)


def test_lists_of_different_lengths_and_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="2 validation scores and 1 test scores"):
        expected_selected([1, 2], [1], 1)
    for validation, test in (([1, math.nan], [1, 2]), ([1, 2], [math.inf, 2])):
        with pytest.raises(ValueError, match="finite"):
            expected_selected(validation, test, 1)
