"""Smallest detectable effects: the smallest difference that a number of runs detects with power .8.

Planning figures from the sampling variance of the deciding test and a normal (or t) distribution of its statistic:
accurate to a few runs, as the simulations in the tests show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stabbench.statistics.effects import deviations
from stabbench.statistics.hypothesis_tests import failure_test
from stabbench.statistics.permutation import PERMUTATIONS

POWER = 0.8
# The smallest p-value from random splits.
RANDOM_P = 1 / (PERMUTATIONS + 1)
# The coefficient of variation of |x| for normal x: the least that is assumed of a reference.
NORMAL_VARIATION = math.sqrt(math.pi / 2 - 1)


def detectable_rate(planned: int, reference_failed: int, reference_planned: int, level: float) -> float | None:
    """The smallest rate of failed runs that the exact test detects at this level with power .8.

    None where the test would not even be significant if every run failed.
    """
    from scipy import optimize, stats

    def found(failed: int) -> bool:
        p = failure_test(failed, planned, reference_failed, reference_planned).p_worse
        return p is not None and p <= level

    if not found(planned):
        return None
    below, fewest = -1, planned
    while fewest - below > 1:
        middle = (below + fewest) // 2
        below, fewest = (below, middle) if found(middle) else (middle, fewest)
    if fewest == 0:
        return 0.0
    rate = optimize.brentq(lambda r: stats.binom.sf(fewest - 1, planned, r) - POWER, 0.0, 1.0)
    return float(rate)


def detectable_spread(planned: int, reference: Sequence[float], level: float) -> float | None:
    """The smallest ratio of spreads that the one-sided Brown-Forsythe test detects at this level with power .8.

    Solved for r: r - 1 = v (t_level sqrt((n r^2 + m) / (n + m) (1/n + 1/m)) + t_power sqrt(r^2 / n + 1 / m)), with v
    the coefficient of variation of the deviations and r the ratio of the samples' mean deviations. Those of a small
    sample are smaller than its population's; the result is corrected for this. None where no ratio is detected, or the
    reference has no spread.
    """
    from scipy import optimize, stats

    if min(planned, len(reference)) < 3:
        return None
    y = deviations(reference)
    centre = float(y.mean())
    n, m = planned, len(reference)
    if centre == 0 or max(_least_p(n, m), RANDOM_P) > level:
        return None
    # At least the variation of a normal distribution is assumed of the candidates.
    variation = max(float(y.std(ddof=1)) / centre, NORMAL_VARIATION)
    critical, power = (float(stats.t.isf(p, n + m - 2)) for p in (level, 1 - POWER))

    def missed(ratio: float) -> float:
        # The test's critical value uses the pooled variance; its power depends on the variance of each sample.
        pooled = math.sqrt((n * ratio**2 + m) / (n + m) * (1 / n + 1 / m))
        return variation * (critical * pooled + power * math.sqrt(ratio**2 / n + 1 / m)) - (ratio - 1)

    # The function is convex and positive at 1: it has a root if it falls for large ratios.
    if variation * (critical / math.sqrt(m) + power / math.sqrt(n)) >= 1:
        return None
    largest = 2.0
    while missed(largest) > 0:
        largest *= 2
    return max(1.0, float(optimize.brentq(missed, 1.0, largest)) * _mean_deviation(m) / _mean_deviation(n))


def _mean_deviation(n: int) -> float:
    """The expected mean absolute deviation from the median of ``n`` normal scores (Blom's 1958 order statistics)."""
    from scipy.special import ndtri

    return float(np.abs(ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))).mean())


def detectable_drop(planned: int, reference: Sequence[float], level: float) -> float | None:
    """The smallest loss of mean score that Welch's test detects at this level with power .8, at the reference's spread.

    The permutation test must detect it as well; below the level of its random splits it does so only where the two
    samples do not overlap. None where the samples are too small for any difference to be significant.
    """
    n, m = planned, len(reference)
    if min(n, m) < 2 or _least_p(n, m) > level:
        return None
    y = np.asarray(reference, float)
    drop = _reach(n + m - 2, level) * float(np.std(y, ddof=1)) * math.sqrt(1 / n + 1 / m)
    return drop if level >= RANDOM_P else max(drop, float(np.ptp(y)))


def _least_p(n: int, m: int) -> float:
    """The smallest p-value of a permutation test of sets of these sizes."""
    return 1 / math.comb(n + m, n)


def _reach(freedom: int, level: float) -> float:
    """The difference, in standard errors, that is detected at ``level`` with power .8."""
    from scipy import stats

    return float(stats.t.isf(level, freedom) + stats.t.isf(1 - POWER, freedom))
