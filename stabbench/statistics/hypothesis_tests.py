"""Significance tests that compare a candidate's runs with a reference's.

One-sided tests are made in both directions: a small ``p_worse`` is evidence that the candidate is less stable (or
scores lower) than the reference, a small ``p_better`` that it is more stable (or scores higher). A p-value that is not
defined is None, and ``note`` says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stabbench.statistics.effects import deviations

# Under three scores the deviations from a centre are degenerate: two against two gives p = 2e-30.
LEAST_SCORES = 3
# A single run gives no rate.
LEAST_RUNS = 2
# Beyond this number of scores the normal approximation is accurate, and exact counting takes gigabytes.
LARGEST_EXACT = 100
# Boschloo's test tries every pair of counts: 300 runs against 300 take half a second, 1,000 against 1,000 a minute.
LARGEST_BOSCHLOO = 100_000


@dataclass(frozen=True)
class LeveneTest:
    """Levene's two-sided test for equal spread.

    Attributes:
        statistic: Levene's W; None where it is not defined.
        p: The p-value; None where it is not defined.
        note: Why it is not defined, or what is special about it.
    """

    statistic: float | None
    p: float | None
    note: str = ""


@dataclass(frozen=True)
class DirectedTest:
    """A one-sided test, in both directions.

    Attributes:
        p_worse: Small where the candidate is less stable (or scores lower) than the reference.
        p_better: Small where it is more stable (or scores higher).
        method: The name of the test.
        note: Why the p-values are None, or what is special about them.
    """

    p_worse: float | None
    p_better: float | None
    method: str
    note: str = ""


def levene_test(
    candidate: Sequence[float], reference: Sequence[float], center: Literal["mean", "median"] = "median"
) -> LeveneTest:
    """Levene's test for equal spread of two sets of scores, two-sided.

    ``center="mean"`` is Levene's own, as mosbach2021 report it; ``"median"`` is Brown and Forsythe's, which keeps its
    level when some runs have collapsed.

    Source: Levene 1960; Brown and Forsythe 1974.
    """
    from scipy import stats

    x, y = finite_scores(candidate), finite_scores(reference)
    if min(len(x), len(y)) < LEAST_SCORES:
        return LeveneTest(None, None, f"needs at least {LEAST_SCORES} finite scores in each set")
    if np.ptp(x) == 0 and np.ptp(y) == 0:
        return LeveneTest(None, None, "equal spread: both sets are constant")
    deviations = [np.abs(s - (np.mean(s) if center == "mean" else np.median(s))) for s in (x, y)]
    if all(np.ptp(d) <= 1e-12 * max(1.0, float(np.max(np.abs(s)))) for d, s in zip(deviations, (x, y), strict=True)):
        return LeveneTest(None, None, "not defined: the deviations have no spread of their own")
    result = stats.levene(x, y, center=center)
    return LeveneTest(float(result.statistic), float(result.pvalue), _constant_note(x, y))


def spread_test(candidate: Sequence[float], reference: Sequence[float]) -> DirectedTest:
    """One-sided Brown-Forsythe test on the spread of scores.

    ``p_worse`` is half the two-sided p where the candidate's mean absolute deviation from its median is the larger, and
    one minus that half where it is not.
    """
    two_sided = levene_test(candidate, reference, "median")
    method = "Brown-Forsythe"
    if two_sided.p is None:
        return DirectedTest(None, None, method, two_sided.note)
    larger = np.mean(deviations(candidate)) > np.mean(deviations(reference))
    p_worse = two_sided.p / 2 if larger else 1 - two_sided.p / 2
    return DirectedTest(p_worse, 1 - p_worse, method, two_sided.note)


@lru_cache(maxsize=4096)
def failure_test(failed: int, planned: int, reference_failed: int, reference_planned: int) -> DirectedTest:
    """One-sided exact test on the rates of failed runs: Boschloo's, or for many runs Fisher's.

    Fisher's test never alarms more often than Boschloo's, and for large samples hardly less often.

    Source: Boschloo 1970; Fisher 1935.
    """
    from scipy import stats

    small = (planned + 1) * (reference_planned + 1) <= LARGEST_BOSCHLOO
    method = "Boschloo" if small else "Fisher"
    if min(planned, reference_planned) < LEAST_RUNS:
        return DirectedTest(None, None, method, f"needs at least {LEAST_RUNS} runs in each set")
    if failed == 0 == reference_failed:
        return DirectedTest(1.0, 1.0, method, "no failed runs on either side")
    table = np.array([[failed, reference_failed], [planned - failed, reference_planned - reference_failed]])
    test = stats.boschloo_exact if small else stats.fisher_exact
    worse, better = (test(table, alternative=side).pvalue for side in ("greater", "less"))
    return DirectedTest(min(1.0, float(worse)), min(1.0, float(better)), method)


def mean_test(candidate: Sequence[float], reference: Sequence[float], *, pooled: bool = False) -> DirectedTest:
    """One-sided test on the mean score: Welch's, or Mann and Whitney's where one sample is constant.

    Mann and Whitney's test is exact up to 100 scores. With ``pooled`` Student's test with a pooled variance replaces
    Welch's, as in Zhang et al. 2021.
    """
    from scipy import stats

    x, y = finite_scores(candidate), finite_scores(reference)
    method = "Student" if pooled else "Welch"
    if min(len(x), len(y)) < 2:
        return DirectedTest(None, None, method, "needs at least 2 finite scores in each set")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        p_values = _exact_mann_whitney(x, y) if len(x) + len(y) <= LARGEST_EXACT else _mann_whitney(x, y)
        return DirectedTest(*p_values, "Mann-Whitney", _constant_note(x, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scores that agree to the last bits: handled below
        p_worse = float(stats.ttest_ind(x, y, equal_var=pooled, alternative="less").pvalue)
    if not np.isfinite(p_worse):
        return DirectedTest(None, None, method, "not defined: the spread is lost in rounding")
    return DirectedTest(p_worse, 1 - p_worse, method)


def _mann_whitney(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    from scipy import stats

    if np.ptp(np.concatenate([x, y])) == 0:
        return 1.0, 1.0
    lower, higher = (stats.mannwhitneyu(x, y, alternative=side, method="asymptotic") for side in ("less", "greater"))
    return float(lower.pvalue), float(higher.pvalue)


def _exact_mann_whitney(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Exact one-sided p-values that x is lower and that x is higher, with ties.

    A constant sample is all ties, where scipy's exact method does not apply. Therefore the rank sums of all ways to
    choose ``len(x)`` of the scores are counted, in twice the mid-ranks, which are whole numbers.
    """
    from scipy import stats

    ranks = np.rint(2 * stats.rankdata(np.concatenate([x, y]))).astype(int)
    ways = np.zeros((len(x) + 1, ranks.sum() + 1))  # [scores chosen, their rank sum]
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    share = ways[-1] / ways[-1].sum()
    observed = int(ranks[: len(x)].sum())
    return min(1.0, float(share[: observed + 1].sum())), min(1.0, float(share[observed:].sum()))


def finite_scores(values: Sequence[float]) -> NDArray[np.float64]:
    """Scores as an array.

    Raises:
        ValueError: A score is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("scores must be finite: leave out the others, and count their runs as failed")
    return array


def _constant_note(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    constant = [who for who, s in (("candidate", x), ("reference", y)) if np.ptp(s) == 0]
    return f"all scores of the {' and the '.join(constant)} are equal" if constant else ""
