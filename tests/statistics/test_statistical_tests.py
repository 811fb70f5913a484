"""Tests of the tests: published oracles, degenerate cases, and properties."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.statistics import DirectedTest, failure_test, levene_test, mean_test, spread_test

scores = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=12)

# NIST/SEMATECH e-Handbook, GEAR.DAT, the first two of its ten batches.
GEAR_1 = [1.006, 0.996, 0.998, 1.000, 0.992, 0.993, 1.002, 0.999, 0.994, 1.000]
GEAR_2 = [0.998, 1.006, 1.000, 1.002, 0.997, 0.998, 0.996, 1.000, 1.006, 0.988]


def brown_forsythe(x: list[float], y: list[float]) -> float:
    """W of Brown and Forsythe, written out."""
    groups = []
    for values in (x, y):
        ordered = sorted(values)
        middle = len(values) // 2
        median = ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        groups.append([abs(v - median) for v in values])
    n = sum(map(len, groups))
    means = [sum(g) / len(g) for g in groups]
    grand = sum(map(sum, groups)) / n
    between = sum(len(g) * (m - grand) ** 2 for g, m in zip(groups, means, strict=True))
    within = sum(sum((d - m) ** 2 for d in g) for g, m in zip(groups, means, strict=True))
    return (n - 2) * between / within


def test_levene_equals_the_formula_written_out() -> None:
    assert levene_test(GEAR_1, GEAR_2).statistic == pytest.approx(brown_forsythe(GEAR_1, GEAR_2))


def test_the_two_centers_differ_and_are_two_sided() -> None:
    for center in ("mean", "median"):
        forth, back = levene_test(GEAR_1, GEAR_2, center), levene_test(GEAR_2, GEAR_1, center)
        assert forth.p == pytest.approx(back.p)
    assert levene_test(GEAR_1, GEAR_2, "mean").p != levene_test(GEAR_1, GEAR_2, "median").p


def test_boschloo_has_scipys_published_value() -> None:
    assert failure_test(74, 117, 31, 63).p_worse == pytest.approx(0.0355641, abs=1e-6)


def test_mann_whitney_stands_in_where_a_set_is_constant() -> None:
    """Of the 20 ways to choose three of six one gives the lowest rank sum."""
    result = mean_test([0.5, 0.5, 0.5], [0.7, 0.71, 0.72])
    assert result.method == "Mann-Whitney"
    assert result.p_worse == pytest.approx(1 / 20)
    assert result.p_better == pytest.approx(1)
    assert "candidate" in result.note


def test_mann_whitney_is_exact_with_ties() -> None:
    """Against every way to choose, one by one."""
    x, y = [0.6, 0.6, 0.6], [0.5, 0.6, 0.7, 0.8]
    pool = x + y
    mid = [sum(v < w for v in pool) + (sum(v == w for v in pool) + 1) / 2 for w in pool]
    sums = [sum(mid[i] for i in chosen) for chosen in itertools.combinations(range(7), 3)]
    observed = sum(mid[:3])
    result = mean_test(x, y)
    assert result.p_worse == pytest.approx(sum(s <= observed for s in sums) / len(sums))
    assert result.p_better == pytest.approx(sum(s >= observed for s in sums) / len(sums))


def test_welch_is_one_sided_both_ways() -> None:
    low, high = [0.5, 0.52, 0.51, 0.49], [0.6, 0.61, 0.63, 0.59]
    result = mean_test(low, high)
    assert result.method == "Welch"
    assert result.p_worse is not None
    assert result.p_better is not None
    assert result.p_worse < 0.001
    assert result.p_worse + result.p_better == pytest.approx(1)


def test_collapsed_runs_look_steady_only_to_a_test_without_direction() -> None:
    """Ten of ten runs collapsed: the two-sided test is significant, the directed one does not call it worse."""
    collapsed, healthy = [0.5] * 10, [0.7 + 0.01 * i for i in range(10)]
    assert (levene_test(collapsed, healthy).p or 1) < 0.01
    spread = spread_test(collapsed, healthy)
    assert spread.p_worse is not None
    assert spread.p_worse > 0.99
    assert "candidate" in spread.note
    assert (failure_test(10, 10, 0, 10).p_worse or 1) < 1e-4


@pytest.mark.parametrize(
    ("x", "y", "note"),
    [
        ([0.5, 0.6], [0.5, 0.6, 0.7], "at least 3"),
        ([], [], "at least 3"),
        ([0.5] * 4, [0.6] * 4, "equal spread"),
        ([0.1, 0.1, 0.3, 0.3], [0.2, 0.2, 0.4, 0.4], "deviations"),
    ],
)
def test_what_is_not_defined_is_none_with_a_reason(x: list[float], y: list[float], note: str) -> None:
    assert levene_test(x, y).p is None
    assert note in levene_test(x, y).note
    assert spread_test(x, y).p_worse is None


def test_no_failed_runs_on_either_side_is_p_1_and_no_runs_is_none() -> None:
    assert failure_test(0, 10, 0, 12) == DirectedTest(1.0, 1.0, "Boschloo", "no failed runs on either side")
    assert failure_test(0, 0, 0, 12).p_worse is None
    assert mean_test([0.5], [0.5, 0.6]).p_worse is None


def test_scores_that_are_not_finite_are_refused_not_omitted() -> None:
    with pytest.raises(ValueError, match="finite"):
        levene_test([0.5, math.nan, 0.6], [0.5, 0.6, 0.7])


@given(scores, scores)
def test_p_values_are_probabilities_or_none_and_never_nan(x: list[float], y: list[float]) -> None:
    for result in (spread_test(x, y), mean_test(x, y)):
        for p in (result.p_worse, result.p_better):
            assert p is None or 0 <= p <= 1
    two_sided = levene_test(x, y).p
    assert two_sided is None or 0 <= two_sided <= 1


@given(scores, scores, st.randoms(use_true_random=False))
def test_the_order_of_seeds_does_not_matter(x: list[float], y: list[float], random: object) -> None:
    mixed = list(x)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    before, after = spread_test(x, y).p_worse, spread_test(mixed, y).p_worse
    assert before == pytest.approx(after, rel=1e-6) if before is not None else after is None


@given(scores, scores)
def test_swapping_the_sides_swaps_the_directions(x: list[float], y: list[float]) -> None:
    forth, back = spread_test(x, y), spread_test(y, x)
    if forth.p_worse is None:
        assert back.p_worse is None
    elif forth.p_worse != pytest.approx(0.5):
        assert forth.p_worse == pytest.approx(back.p_better, rel=1e-6, abs=1e-12)


@given(st.integers(0, 12), st.integers(0, 12))
def test_more_failed_runs_are_never_less_suspicious(failed: int, reference_failed: int) -> None:
    if failed < 12:
        fewer, more = failure_test(failed, 12, reference_failed, 12), failure_test(failed + 1, 12, reference_failed, 12)
        assert fewer.p_worse is not None
        assert more.p_worse is not None
        assert more.p_worse <= fewer.p_worse + 1e-9
