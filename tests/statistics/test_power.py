"""Planning figures against the tests they plan for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stabbench.statistics import (
    detectable_drop,
    detectable_rate,
    detectable_spread,
    failure_test,
    mean_test,
    spread_test,
)

# A reference with exactly the shape and the spread of its population.
BANK = [float(z) for z in stats.zscore(stats.norm.ppf((np.arange(40) + 0.5) / 40), ddof=1)]


def within(found: int, trials: int, low: float, high: float) -> bool:
    """Whether a power between those explains so many (at .001 on either side)."""
    few = stats.binomtest(found, trials, low, alternative="less").pvalue
    many = stats.binomtest(found, trials, high, alternative="greater").pvalue
    return bool(few > 0.001 and many > 0.001)


@pytest.mark.parametrize(("planned", "reference", "level"), [(10, (0, 50), 0.05), (20, (2, 25), 0.05 / 3)])
def test_the_detectable_rate_has_the_power_exactly(planned: int, reference: tuple[int, int], level: float) -> None:
    rate = detectable_rate(planned, *reference, level)
    assert rate is not None
    found = [(failure_test(k, planned, *reference).p_worse or 1) <= level for k in range(planned + 1)]
    assert stats.binom.pmf(range(planned + 1), planned, rate) @ found == pytest.approx(0.8)


@pytest.mark.parametrize("reference", [(5, 5), (24, 25)])
def test_no_rate_is_detectable_where_failures_only_would_not_be(reference: tuple[int, int]) -> None:
    assert detectable_rate(10, *reference, 0.05) is None


def test_without_runs_no_rate_is_detectable() -> None:
    assert detectable_rate(0, 0, 10, 0.05) is None
    assert detectable_rate(2, 0, 0, 0.05) is None


@pytest.mark.parametrize(("planned", "level"), [(15, 0.05), (20, 0.05 / 3), (40, 0.05 / 3)])
def test_a_detectable_spread_is_found_with_about_that_power(planned: int, level: float) -> None:
    ratio, draw, trials = detectable_spread(planned, BANK, level), np.random.default_rng(9), 500
    assert ratio is not None
    found = sum(
        (spread_test(draw.normal(0, ratio, planned), draw.normal(0, 1, len(BANK))).p_worse or 1) <= level
        for _ in range(trials)
    )
    assert within(found, trials, 0.7, 0.9)


@pytest.mark.parametrize(("planned", "level"), [(5, 0.05), (20, 0.05 / 3)])
def test_a_detectable_drop_is_found_with_about_that_power(planned: int, level: float) -> None:
    drop, draw, trials = detectable_drop(planned, BANK, level), np.random.default_rng(10), 500
    assert drop is not None
    found = sum(
        (mean_test(draw.normal(-drop, 1, planned), draw.normal(0, 1, len(BANK))).p_worse or 1) <= level
        for _ in range(trials)
    )
    assert within(found, trials, 0.7, 0.9)


def test_what_so_few_runs_cannot_show_is_none() -> None:
    assert detectable_spread(2, BANK, 0.05) is None
    assert detectable_spread(4, BANK, 0.001) is None
    assert detectable_spread(10, [0.5, 0.6], 0.05) is None
    assert detectable_spread(10, [0.5] * 10, 0.05) is None
    assert detectable_drop(1, BANK, 0.05) is None
    assert detectable_drop(10, [0.5], 0.05) is None


def test_a_reference_without_spread_shows_any_drop() -> None:
    assert detectable_drop(10, [0.5] * 10, 0.05) == 0


@settings(deadline=None)
@given(st.integers(3, 40), st.sampled_from([0.05, 0.01]), st.floats(0.125, 8))
def test_more_runs_show_more_and_scores_have_no_unit(planned: int, level: float, scale: float) -> None:
    drop, more = detectable_drop(planned, BANK, level), detectable_drop(planned + 1, BANK, level)
    assert drop is not None
    assert more is not None
    assert more < drop
    assert detectable_drop(planned, [scale * z + 1 for z in BANK], level) == pytest.approx(scale * drop)
    ratio, finer = detectable_spread(planned, BANK, level), detectable_spread(planned + 1, BANK, level)
    if ratio is not None:
        assert finer is not None
        assert 1 < finer < ratio
        assert detectable_spread(planned, [scale * z + 1 for z in BANK], level) == pytest.approx(ratio)


@pytest.mark.parametrize("reference_failed", [0, 3])
def test_a_stricter_level_shows_less(reference_failed: int) -> None:
    rates = [detectable_rate(12, reference_failed, 24, level) for level in (0.1, 0.05, 0.001)]
    assert all(rate is not None for rate in rates)
    assert rates == sorted(rates)  # type: ignore[type-var]
    assert rates[0] < rates[-1]  # type: ignore[operator]
