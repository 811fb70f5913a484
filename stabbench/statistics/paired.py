"""Two recipes on the same examples: a test of the difference of their accuracies that uses every example."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class PairedTest:
    """The difference of two recipes' mean accuracies on the same examples.

    Attributes:
        difference: Candidate minus reference.
        low: The lower end of its 95% interval over new seeds and new examples.
        high: The upper end.
        p_worse: One-sided, that the candidate's accuracy is lower, over new seeds and new examples; None where nothing
            varies.
        p_better: The reverse.
        p_these_runs: Two-sided, for these very runs on new examples. Other seeds may say the opposite: where models
            of one recipe differ, it is small far too often for a statement about recipes.
        note: What is special about it.
    """

    difference: float
    low: float
    high: float
    p_worse: float | None
    p_better: float | None
    p_these_runs: float | None
    note: str = ""


def paired_test(candidate: ArrayLike, reference: ArrayLike) -> PairedTest:
    """Compare two recipes example by example.

    With d_j the difference on example j of the shares of runs that are right, the variance of mean(d) over new seeds
    and new examples is estimated without bias by::

        MS_a / (n K_a) + MS_b / (n K_b) + Var(d) / n - R_a / (n K_a) - R_b / (n K_b)

    where MS and R are the mean squares of runs and of the rest in each recipe's analysis of variance; it is at least
    Var(d) / n, which is all that there is where the models of a recipe do not differ. The degrees of freedom are
    Satterthwaite's (1946). ``scripts/paired_test_rates.py`` measures its size and its power against Welch's test.

    Args:
        candidate: Whether run k is right on example j, ``[runs, examples]``.
        reference: The same of the other recipe, on the same examples; it may have another number of runs.

    Raises:
        ValueError: Fewer than two runs or examples, or not the same number of examples.
    """
    from scipy import stats

    a, b = (np.asarray(each, dtype=np.float64) for each in (candidate, reference))
    if a.ndim != 2 or b.ndim != 2 or min(*a.shape, *b.shape) < 2:
        raise ValueError(f"needs at least two runs and two examples of each, not {a.shape} and {b.shape}")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} and {b.shape[1]} examples cannot be paired")
    n = a.shape[1]
    d = a.mean(0) - b.mean(0)
    difference, alone = float(d.mean()), float(d.var(ddof=1)) / n
    variance, freedom = _combined([*_terms(a), *_terms(b), (alone, n - 1)])
    if variance < alone:
        variance, freedom = alone, n - 1.0
    if variance == 0:
        return PairedTest(difference, difference, difference, None, None, None, "all runs agree on every example")
    error = math.sqrt(variance)
    reach = float(stats.t.ppf(0.975, freedom)) * error
    these = None if alone == 0 else 2 * float(stats.t.sf(abs(difference) / math.sqrt(alone), n - 1))
    return PairedTest(
        difference,
        difference - reach,
        difference + reach,
        float(stats.t.cdf(difference / error, freedom)),
        float(stats.t.sf(difference / error, freedom)),
        these,
    )


def _terms(y: NDArray[np.float64]) -> list[tuple[float, float]]:
    """What a recipe's own runs contribute: the mean squares of runs, less those of the rest, with their freedom."""
    runs, n = y.shape
    of_runs, of_examples = y.mean(1, keepdims=True), y.mean(0, keepdims=True)
    rest = float(np.square(y - of_runs - of_examples + y.mean()).sum()) / ((n - 1) * (runs - 1))
    return [(float(of_runs.var(ddof=1)) / runs, runs - 1), (-rest / (n * runs), (n - 1) * (runs - 1))]


def _combined(terms: list[tuple[float, float]]) -> tuple[float, float]:
    """A sum of independent estimates of variances, and its degrees of freedom."""
    total = math.fsum(estimate for estimate, _ in terms)
    squares = math.fsum(estimate**2 / freedom for estimate, freedom in terms)
    return total, total**2 / squares if squares > 0 else 1.0
