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
    permuted_mean_test,
    permuted_spread_test,
    spread_test,
)


# References with exactly the shape and the spread of their population.
def bank(size: int) -> list[float]:
    return [float(z) for z in stats.zscore(stats.norm.ppf((np.arange(size) + 0.5) / size), ddof=1)]


BANK = bank(40)


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


@pytest.mark.parametrize(
    ("planned", "reference", "level"),
    [(5, 50, 0.05), (10, 50, 0.05 / 3), (20, 20, 0.05 / 3), (50, 20, 0.05 / 18), (50, 10, 0.05)],
)
def test_a_detectable_spread_is_found_with_about_that_power(planned: int, reference: int, level: float) -> None:
    """By the test alone, as scipy has it, many times at once: few against many, and many against few."""
    ratio, draw, trials = detectable_spread(planned, bank(reference), level), np.random.default_rng(9), 4000
    assert ratio is not None
    sets = draw.normal(0, ratio, (planned, trials)), draw.normal(0, 1, (reference, trials))
    p, wider = stats.levene(*sets, center="median", axis=0).pvalue, mean_deviations(sets[0]) > mean_deviations(sets[1])
    assert within(int(((p / 2 <= level) & wider).sum()), trials, 0.75, 0.82)


def mean_deviations(scores: np.ndarray) -> np.ndarray:
    return np.abs(scores - np.median(scores, axis=0)).mean(axis=0)


def test_the_gates_own_check_finds_it_with_about_that_power() -> None:
    """With the permutation test that has to agree."""
    ratio, draw, trials, level = detectable_spread(10, bank(50), 0.05 / 3), np.random.default_rng(9), 200, 0.05 / 3
    assert ratio is not None
    found = 0
    for _ in range(trials):
        x, y = draw.normal(0, ratio, 10).tolist(), draw.normal(0, 1, 50).tolist()
        found += all((test(x, y).p_worse or 1) <= level for test in (spread_test, permuted_spread_test))
    assert within(found, trials, 0.7, 0.85)


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
    # Of three against three only one split in twenty is the observed one; of four against four, one in seventy.
    for detectable, least in ((detectable_spread, None), (detectable_drop, None)):
        assert detectable(3, bank(3), 0.049) is least
        assert detectable(4, bank(4), 0.014) is least
    assert detectable_drop(3, bank(3), 0.051) is not None
    # Random splits have no p-value under 1e-4, and next to nothing is wide enough for that of few runs.
    assert detectable_spread(40, BANK, 0.9e-4) is None
    assert detectable_spread(5, bank(5), 0.005) is None
    assert detectable_spread(10, [0.5, 0.6], 0.05) is None
    assert detectable_spread(10, [0.5] * 10, 0.05) is None
    assert detectable_drop(1, BANK, 0.05) is None
    assert detectable_drop(10, [0.5], 0.05) is None


def test_a_reference_without_spread_shows_any_drop() -> None:
    assert detectable_drop(10, [0.5] * 10, 0.05) == 0


def test_under_the_level_of_random_splits_a_drop_is_found_where_the_scores_are_apart() -> None:
    drop = detectable_drop(40, BANK, 1e-6)
    assert drop == pytest.approx(np.ptp(BANK))
    apart = [z - drop - 1e-9 for z in BANK]
    assert (permuted_mean_test(apart, BANK).p_worse or 1) < 1e-6


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
