"""Effect sizes with confidence bounds.

Each bound inverts the test that decides on the effect, so that a table never contradicts its verdict. ``alpha`` is the
error of *one* bound: an interval at 95% has both of its bounds at .025.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

TWO_SIDED_95 = 0.025


@dataclass(frozen=True)
class Effect:
    """An estimate and its two confidence bounds; None where not defined, infinite where a bound is open."""

    estimate: float | None
    low: float | None
    high: float | None


UNDEFINED = Effect(None, None, None)


def wilson(failed: int, planned: int) -> tuple[float, float] | None:
    """Wilson's 95% interval of the rate ``failed / planned``; None without runs."""
    from scipy import stats

    if planned == 0:
        return None
    interval = stats.binomtest(failed, planned).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def clopper_pearson(failed: int, planned: int, alpha: float = TWO_SIDED_95) -> tuple[float, float]:
    """Exact bounds of the rate ``failed / planned``, each at ``alpha``: quantiles of the beta distribution.

    Source: Clopper and Pearson 1934.
    """
    from scipy.special import betaincinv

    low = 0.0 if failed == 0 else float(betaincinv(failed, planned - failed + 1, alpha))
    high = 1.0 if failed == planned else float(betaincinv(failed + 1, planned - failed, 1 - alpha))
    return low, high


def rate_difference(
    failed: int, planned: int, reference_failed: int, reference_planned: int, alpha: float = TWO_SIDED_95
) -> Effect:
    """The candidate's rate of failed runs minus the reference's.

    The bounds combine the exact bounds of the two rates (Newcombe 1998, method 10, with Clopper and Pearson's bounds in
    place of Wilson's). Against a reference without failed runs the upper bound is Clopper and Pearson's own.
    """
    if planned == 0 or reference_planned == 0:
        return UNDEFINED
    rate, reference = failed / planned, reference_failed / reference_planned
    low, high = clopper_pearson(failed, planned, alpha)
    reference_low, reference_high = clopper_pearson(reference_failed, reference_planned, alpha)
    difference = rate - reference
    return Effect(
        difference,
        difference - math.hypot(rate - low, reference_high - reference),
        difference + math.hypot(high - rate, reference - reference_low),
    )


def spread_ratio(candidate: Sequence[float], reference: Sequence[float], alpha: float = TWO_SIDED_95) -> Effect:
    """The candidate's mean absolute deviation from the median, divided by the reference's.

    A ratio is inside the bounds if the one-sided Brown-Forsythe test does not reject equality after the reference's
    deviations are multiplied by it. That test is a t-test on deviations; its inversion is Fieller's interval (1954).
    """
    from scipy import stats

    n, m = len(candidate), len(reference)
    if min(n, m) < 3:
        return UNDEFINED
    x, y = deviations(candidate), deviations(reference)
    a, b = float(y.mean()), float(x.mean())
    if a == b == 0:
        return Effect(1.0, 1.0, 1.0)
    if a == 0:
        return Effect(math.inf, 0.0, math.inf)
    # (M a - b)^2 = t^2 (SSx + M^2 SSy) k, solved for M.
    t = float(stats.t.ppf(1 - alpha, n + m - 2))
    weight = t**2 * (1 / n + 1 / m) / (n + m - 2)
    square = a**2 - weight * float(((y - a) ** 2).sum())
    constant = b**2 - weight * float(((x - b) ** 2).sum())
    if square <= 0:
        # No multiple of the reference's deviations, however large, is significantly wider than the candidate's.
        return Effect(b / a, 0.0 if b == 0 or constant <= 0 else _lower_root(square, a * b, constant), math.inf)
    root = math.sqrt(max(0.0, (a * b) ** 2 - square * constant))
    return Effect(b / a, max(0.0, (a * b - root) / square), (a * b + root) / square)


def _lower_root(square: float, product: float, constant: float) -> float:
    """The one positive root where the parabola opens downwards (or is a line)."""
    if square == 0:
        return constant / (2 * product)
    return (product - math.sqrt(product**2 - square * constant)) / square


def mean_deviation(scores: Sequence[float], alpha: float = TWO_SIDED_95) -> Effect:
    """The mean absolute deviation from the median, with Student's bounds; not defined under three scores."""
    from scipy import stats

    if len(scores) < 3:
        return UNDEFINED
    found = deviations(scores)
    mean, error = float(found.mean()), float(found.std(ddof=1)) / math.sqrt(len(found))
    reach = float(stats.t.ppf(1 - alpha, len(found) - 1)) * error
    return Effect(mean, max(0.0, mean - reach), mean + reach)


def mean_difference(candidate: Sequence[float], reference: Sequence[float], alpha: float = TWO_SIDED_95) -> Effect:
    """The candidate's mean score minus the reference's, with Welch's bounds."""
    if not candidate or not reference:
        return UNDEFINED
    from scipy import stats

    x, y = np.asarray(candidate, float), np.asarray(reference, float)
    difference = float(x.mean() - y.mean())
    if min(len(x), len(y)) < 2:
        return Effect(difference, -math.inf, math.inf)
    vx, vy = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    error = math.sqrt(vx + vy)
    if error == 0:
        return Effect(difference, difference, difference)
    # Shares first: the squares of tiny variances vanish.
    wx, wy = vx / (vx + vy), vy / (vx + vy)
    freedom = 1 / (wx**2 / (len(x) - 1) + wy**2 / (len(y) - 1))
    reach = float(stats.t.ppf(1 - alpha, freedom)) * error
    return Effect(difference, difference - reach, difference + reach)


def superiority(candidate: Sequence[float], reference: Sequence[float]) -> tuple[float, float] | None:
    """The probability that a candidate's run scores higher than a reference's, and the two-sided p-value against .5.

    Ties count half: U / (n m), Mann and Whitney 1947. None without scores on both sides.
    """
    from scipy import stats

    if not candidate or not reference:
        return None
    pooled = np.concatenate([candidate, reference])
    if np.ptp(pooled) == 0:
        return 0.5, 1.0
    result = stats.mannwhitneyu(candidate, reference)
    return float(result.statistic) / (len(candidate) * len(reference)), float(result.pvalue)


def deviations(scores: ArrayLike) -> NDArray[np.float64]:
    """Absolute deviations from the median."""
    values = np.asarray(scores, dtype=np.float64)
    return np.abs(values - np.median(values))
