"""Variance components: a table worked out by hand, invariances, the F test they must agree with, and coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stabbench.statistics import Component, VarianceComponents, variance_components

# Multiples of a power of two: shifting and doubling them is exact.
dyadic = st.integers(0, 64).map(lambda k: k / 64)
tables = st.tuples(st.integers(2, 5), st.integers(2, 5)).flatmap(
    lambda shape: st.lists(st.lists(dyadic, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
)
NOTHING = Component(0, 0, 0, 0)
BY_HAND = [[1, 2, 6], [5, 8, 8]]


def parts(components: VarianceComponents) -> tuple[Component, Component, Component]:
    return components.rows, components.columns, components.residual


def variances(components: VarianceComponents) -> list[float]:
    return [v for part in parts(components) for v in (part.estimate, part.low, part.high)]


def test_a_table_worked_out_by_hand() -> None:
    """Row means 3 and 7, column means 3, 5 and 7, the mean 5.

    Rows: 3 (4 + 4) / 1 = 24. Columns: 2 (4 + 0 + 4) / 2 = 8. What they leave is 0 -1 1 and 0 1 -1: 4 / 2 = 2.
    With two degrees of freedom F's upper quantile at p is (1 - p) / p, and -ln p against endlessly many. For columns
    H1 = 1 / .0253178 - 1 = 38.49789, G2 = 1 - 1 / 3.688879 = .728915, F2 = 1 / 39,
    H12 = 39 (.949375 - .974417 - .531317) = -21.69797,
    V_U = 1482.0875 * 64 + .531317 * 4 - 21.69797 * 16 = 94508.56, and (6 + 307.4224) / 2 = 156.711.
    With column means ten times as far apart, MS = 800; the letters G1, H2, 1 / F1 and G12 have the same values:
    V_L = .531317 * 640000 + 1482.0875 * 4 - 21.69797 * 1600 = 311254.5, and (798 - 557.9018) / 2 = 120.049.
    """
    found = variance_components(BY_HAND)
    assert (found.mean, *found.mean_squares) == pytest.approx((5, 24, 8, 2))
    assert [part.estimate for part in parts(found)] == pytest.approx([22 / 3, 3, 2])
    assert [part.share for part in parts(found)] == pytest.approx([22 / 37, 9 / 37, 6 / 37])
    assert (found.columns.low, found.columns.high) == pytest.approx((0, 156.711), rel=1e-5)
    assert variance_components([[-17, 2, 24], [-13, 8, 26]]).columns.low == pytest.approx(120.049, rel=1e-5)
    assert (found.residual.low, found.residual.high) == pytest.approx((-2 / math.log(0.025), -2 / math.log(0.975)))


@given(tables)
def test_the_mean_squares_are_those_of_one_way_analyses_and_of_least_squares(table: list[list[float]]) -> None:
    y = np.array(table)
    n, m = y.shape
    rows, columns, residual = variance_components(table).mean_squares
    i, j = np.indices(y.shape)
    design = np.concatenate([np.eye(n)[i.ravel()], np.eye(m)[j.ravel()]], axis=1)
    left = y.ravel() - design @ np.linalg.lstsq(design, y.ravel(), rcond=None)[0]
    assert residual * (n - 1) * (m - 1) == pytest.approx(float(left @ left), abs=1e-12)
    for groups, own, other in ((y, rows, columns * (m - 1)), (y.T, columns, rows * (n - 1))):
        within = (other + residual * (n - 1) * (m - 1)) / (y.size - len(groups))
        if within > 1e-12:
            assert own / within == pytest.approx(float(stats.f_oneway(*groups).statistic), rel=1e-6, abs=1e-9)


@given(tables, st.integers(-1000, 1000), st.sampled_from([-8.0, -1.0, 0.25, 2.0]))
def test_an_added_constant_changes_the_mean_only_and_a_factor_is_squared(
    table: list[list[float]], constant: int, factor: float
) -> None:
    found, moved = variance_components(table), variance_components([[factor * v + constant for v in r] for r in table])
    assert variances(moved) == pytest.approx([factor**2 * v for v in variances(found)], rel=1e-6, abs=1e-9)
    assert moved.mean == pytest.approx(factor * found.mean + constant)


@given(tables)
def test_rows_and_columns_are_treated_alike(table: list[list[float]]) -> None:
    found, turned = variance_components(table), variance_components(list(zip(*table, strict=True)))
    rows, columns, rest = (variances(turned)[i : i + 3] for i in (0, 3, 6))
    assert variances(found) == pytest.approx(columns + rows + rest, rel=1e-6, abs=1e-9)


@given(tables, st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_bounds_are_around_the_estimate_and_shares_add_up(table: list[list[float]], confidence: float) -> None:
    found = variance_components(table, confidence)
    for part in parts(found):
        assert 0 <= part.low <= part.estimate <= part.high < math.inf
    assert sum(part.share for part in parts(found)) == pytest.approx(float(np.ptp(table) > 0))


@given(tables)
def test_a_lower_bound_is_above_zero_where_the_f_test_rejects(table: list[list[float]]) -> None:
    found = variance_components(table)
    freedom = len(table) - 1, len(table[0]) - 1
    for part, square, n in zip((found.rows, found.columns), found.mean_squares[:2], freedom, strict=True):
        critical = stats.f.isf(0.025, n, freedom[0] * freedom[1]) * found.mean_squares[2]
        if abs(square - critical) > 1e-9:
            assert (part.low > 0) == (square > critical)


def test_without_a_residual_the_interval_is_that_of_a_variance() -> None:
    rows = np.array([1.0, 2.0, 4.0, 8.0])
    found = variance_components([[row, row + 16] for row in rows])
    squares = float(((rows - rows.mean()) ** 2).sum())
    expected = [squares / 3, squares / stats.chi2.isf(0.025, 3), squares / stats.chi2.isf(0.975, 3)]
    assert [found.rows.estimate, found.rows.low, found.rows.high] == pytest.approx(expected)
    assert found.residual == NOTHING


def test_the_negative_estimates_of_a_latin_square_are_cut_off() -> None:
    found = variance_components([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    assert found.rows == found.columns == NOTHING
    assert (found.residual.estimate, found.residual.share) == pytest.approx((1.5, 1))


def test_a_constant_table_has_no_variance_and_no_shares() -> None:
    for score in (0.0, 0.1, 1 / 3, 1e8 + 0.1):
        found = variance_components([[score] * 7] * 3)
        assert found == VarianceComponents(NOTHING, NOTHING, NOTHING, score, (0, 0, 0))


@pytest.mark.parametrize(
    ("shape", "deviations"), [((5, 5), (1, 1, 1)), ((4, 8), (0.3, 2, 1)), ((10, 3), (3, 0, 0.5)), ((20, 20), (0, 1, 2))]
)
def test_the_bounds_cover_as_often_as_they_say(shape: tuple[int, int], deviations: tuple[float, float, float]) -> None:
    random, trials, inside = np.random.default_rng(4), 1000, np.zeros(3, int)
    for _ in range(trials):
        rows, columns, rest = random.normal(size=(shape[0], 1)), random.normal(size=shape[1]), random.normal(size=shape)
        table = deviations[0] * rows + deviations[1] * columns + deviations[2] * rest
        found = parts(variance_components(table.tolist()))
        inside += [part.low <= d**2 <= part.high for part, d in zip(found, deviations, strict=True)]
    # Within a point of what is said, at .001 on either side. Of no variance no upper bound is wrong.
    for times, said in zip(inside, np.where(deviations, 0.95, 0.975), strict=True):
        assert stats.binom.cdf(times, trials, said - 0.01) > 0.001 < stats.binom.sf(times - 1, trials, said + 0.01)


@pytest.mark.parametrize("table", [[], [[]], [[1, 2]], [[1], [2]], [[], []]])
def test_a_table_without_two_rows_and_columns_is_refused(table: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least two rows and two columns, not"):
        variance_components(table)


def test_gaps_and_what_is_no_confidence_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths, 1 and 3"):
        variance_components([[1, 2, 3], [1, 2], [1]])
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            variance_components([[1, 2], [3, value]])
    for value in (0.49, 1, math.nan, 95):
        with pytest.raises(ValueError, match="confidence"):
            variance_components(BY_HAND, value)
