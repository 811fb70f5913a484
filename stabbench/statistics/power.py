"""What so many runs can show: the smallest difference that would be detected, the seeds that a decision would take.

Planning figures, with the sampling variance of the test that decides and a normal (or t) distribution of its statistic:
good to a few runs, as the simulations in the tests show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stabbench.statistics.effects import deviations
from stabbench.statistics.tests import failure_test

POWER = 0.8
# The coefficient of variation of |x| for normal x: where the reference cannot tell.
NORMAL_VARIATION = math.sqrt(math.pi / 2 - 1)


def detectable_rate(planned: int, reference_failed: int, reference_planned: int, level: float) -> float | None:
    """The smallest rate of failed runs that the exact test would find at this level, with power .8.

    None where even failures only would not be found.
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
    """The smallest ratio of spreads that the one-sided Brown-Forsythe test would find, with power .8.

    None where no ratio would be found, or the reference has no spread.
    """
    if min(planned, len(reference)) < 3:
        return None
    y = deviations(reference)
    centre = float(y.mean())
    if centre == 0:
        return None
    variation = float(y.std(ddof=1)) / centre
    reach = _reach(planned + len(reference) - 2, level)
    # (r - 1)^2 = reach^2 v^2 (r^2 / n + 1 / m), solved for r; candidates are given the normal's shape if the reference
    # has less variation than that.
    candidate, own = (
        max(variation, NORMAL_VARIATION) ** 2 * reach**2 / planned,
        variation**2 * reach**2 / len(reference),
    )
    square = 1 - candidate
    if square <= 0:
        return None
    return (1 + math.sqrt(1 - square * (1 - own))) / square


def detectable_drop(planned: int, reference: Sequence[float], level: float) -> float | None:
    """The smallest loss of mean score that Welch's test would find, with power .8, at the reference's spread."""
    if min(planned, len(reference)) < 2:
        return None
    spread = float(np.std(np.asarray(reference, float), ddof=1))
    return _reach(planned + len(reference) - 2, level) * spread * math.sqrt(1 / planned + 1 / len(reference))


def _reach(freedom: int, level: float) -> float:
    """Standard errors between no difference and one that is found at ``level`` with power .8."""
    from scipy import stats

    return float(stats.t.isf(level, freedom) + stats.t.isf(1 - POWER, freedom))
