"""Permutation tests: exact wherever both samples are runs of one recipe, whatever the distribution of scores.

The scores are split into two samples of the same sizes in every way, or in 9,999 random ones. A t-test assumes more: a
small sample without a collapsed run has next to no variance, and against a larger sample with such runs Welch's test
alarms far too often. The gate requires that both tests agree.

Source: Fisher 1935; Pitman 1937; Phipson and Smyth 2010 for counting the observed split among the random ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stabbench.statistics.effects import TWO_SIDED_95, UNDEFINED, Effect, deviations
from stabbench.statistics.hypothesis_tests import LEAST_SCORES, DirectedTest, finite_scores

PERMUTATIONS = 9_999
# Scores that are split at once: some 100 MB, whatever the number of runs.
AT_ONCE = 5_000_000
# Up to this number of scores the splits are cached for the next test of two samples of the same sizes.
KEPT = 500
# Below this number of scores the median of a sample is too imprecise.
SMALL = 10
# Differences that agree to this fraction of the scores are equal: they differ by the order of a sum.
ROUNDING = 1e-12


def permuted_mean_test(candidate: Sequence[float], reference: Sequence[float]) -> DirectedTest:
    """One-sided permutation test on the difference of mean scores.

    With random splits no p-value is below 1e-4: enough for Holm over some 500 tests. Where every score of one sample is
    below every score of the other, no other split is as extreme, and p is exact: one over the number of splits.
    """
    if not len(candidate) or not len(reference):
        return DirectedTest(None, None, "permutation", "needs a score in each set")
    shifts = _critical_shifts(*_sorted(candidate, reference))
    tolerance = ROUNDING * _largest(candidate, reference)
    # The observed split counts in both directions.
    worse, better = ((1 + int((side >= -tolerance).sum())) / (1 + shifts.size) for side in (shifts, -shifts))
    alone = 1 / math.comb(len(candidate) + len(reference), len(candidate))
    if max(candidate) < min(reference):
        worse = alone
    if min(candidate) > max(reference):
        better = alone
    return DirectedTest(worse, better, "permutation")


def permuted_mean_difference(
    candidate: Sequence[float], reference: Sequence[float], alpha: float = TWO_SIDED_95
) -> Effect:
    """The difference of mean scores, with bounds that invert the permutation test.

    A difference is inside the bounds if the test does not reject, at ``alpha`` on either side, that the candidate's
    scores are the reference's plus that difference. A bound is open where the samples are too small to reject any.
    """
    if not len(candidate) or not len(reference):
        return UNDEFINED
    shifts = _critical_shifts(*_sorted(candidate, reference))
    difference = float(np.mean(candidate) - np.mean(reference))
    # A difference is rejected if at most this number of splits, counting the observed one, is as extreme.
    rejected = math.floor(alpha * (1 + shifts.size) + 1e-9)
    if rejected == 0:
        return Effect(difference, -math.inf, math.inf)
    low, high = float(shifts[rejected - 1]), float(shifts[-rejected])
    return Effect(difference, min(low, difference), max(high, difference))


def permuted_spread_test(candidate: Sequence[float], reference: Sequence[float]) -> DirectedTest:
    """One-sided permutation test on the difference of mean absolute deviations from the median.

    The distances of the scores from their own sample's median are permuted, and after each split the deviations from
    the new medians are computed: deviations in a small sample are smaller than in a large one. Under ten scores a
    median is too imprecise: if two of four runs collapsed, all four are equally far from it. There the test on the
    scores themselves must agree, which is exact but less powerful where the means differ.
    """
    x, y = finite_scores(candidate), finite_scores(reference)
    if min(len(x), len(y)) < LEAST_SCORES:
        return DirectedTest(None, None, "permutation", f"needs at least {LEAST_SCORES} finite scores in each set")
    worse, better = _spread_p_values(x - np.median(x), y - np.median(y))
    if min(len(x), len(y)) < SMALL:
        also_worse, also_better = _spread_p_values(x, y)
        worse, better = max(worse, also_worse), max(better, also_better)
    return DirectedTest(worse, better, "permutation")


def _spread_p_values(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """One-sided p-values: the first sample's mean deviation is the larger, and it is the smaller."""
    pooled = np.sort(np.concatenate([x, y]))
    pooled -= pooled[len(pooled) // 2]
    observed = float(deviations(x).mean() - deviations(y).mean())
    tolerance = ROUNDING * _largest(x, y)
    wider = narrower = splits = 0
    for chosen in _splits(len(x), len(y)):
        differences = (_signs(chosen) / len(x) - _signs(~chosen) / len(y)) @ pooled
        wider += int((differences >= observed - tolerance).sum())
        narrower += int((differences <= observed + tolerance).sum())
        splits += len(differences)
    unseen = int(splits == PERMUTATIONS)  # of all splits, the observed one is among them
    return (wider + unseen) / (splits + unseen), (narrower + unseen) / (splits + unseen)


def _signs(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The sign of each sorted score in the sum of the chosen scores' absolute deviations from their median.

    Positive in the upper half, negative in the lower half, zero at the median itself.
    """
    rank, size = chosen.cumsum(axis=1), int(chosen[0].sum())
    upper, lower = chosen & (rank > (size + 1) // 2), chosen & (rank <= size // 2)
    return np.where(upper, 1.0, 0.0) - np.where(lower, 1.0, 0.0)


def _sorted(*sets: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Sorted scores: the order of seeds carries no information and must not affect the random splits."""
    return (tuple(sorted(scores)) for scores in sets)


@lru_cache(maxsize=4)
def _critical_shifts(candidate: tuple[float, ...], reference: tuple[float, ...]) -> NDArray[np.float64]:
    """For every split but the observed one the shift at which it is as extreme as that one, in ascending order.

    With a shift s taken from the candidate's scores the observed difference of means is D - s. A split that leaves a
    share of them where they are has E + a (D - s), with E the difference of the residuals' means and a < 1: it is as
    low as the observed one, or lower, for every s up to D - E / (1 - a), and as high for every s from there on.
    """
    x, y = finite_scores(candidate), finite_scores(reference)
    n, m = len(x), len(y)
    difference = float(x.mean() - y.mean())
    residuals = np.concatenate([x - x.mean(), y - y.mean()])
    found = []
    for chosen in _splits(n, m):
        exchanged = n - chosen[:, :n].sum(axis=1)
        other = exchanged > 0
        sums = chosen @ residuals
        means = sums / n - (residuals.sum() - sums) / m
        found.append(difference - means[other] / (exchanged[other] * (1 / n + 1 / m)))
    shifts = np.sort(np.concatenate(found))
    shifts.flags.writeable = False
    return shifts


def _splits(n: int, m: int) -> Iterator[NDArray[np.bool_]]:
    """Ways to choose ``n`` of ``n + m`` scores, ``[ways, n + m]``: all of them, or 9,999 random ones."""
    size = max(1, AT_ONCE // (n + m))
    make = _some_splits if n + m <= KEPT else _some_splits.__wrapped__
    if math.comb(n + m, n) <= PERMUTATIONS + 1:
        yield _every_split(n, m)
    else:
        for first in range(0, PERMUTATIONS, size):
            yield make(n, m, first, min(size, PERMUTATIONS - first))


@lru_cache(maxsize=32)
def _every_split(n: int, m: int) -> NDArray[np.bool_]:
    places = np.array(list(itertools.combinations(range(n + m), n)))
    return _marked(places, n + m)


@lru_cache(maxsize=8)
def _some_splits(n: int, m: int, first: int, number: int) -> NDArray[np.bool_]:
    """Random splits, always the same for the same sizes: a p-value does not depend on earlier tests."""
    draws = np.random.default_rng((n, m, first)).random((number, n + m))
    return _marked(draws.argpartition(n - 1, axis=1)[:, :n], n + m)


def _marked(places: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    chosen = np.zeros((len(places), size), dtype=bool)
    np.put_along_axis(chosen, places, True, axis=1)
    return chosen


def _largest(*sets: Sequence[float] | NDArray[np.float64]) -> float:
    return max(float(np.max(np.abs(scores))) for scores in sets)
