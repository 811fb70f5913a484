"""What runs of one recipe agree on, example by example, and what the spread of their accuracy is made of.

Banks of runs are arrays ``[runs, examples]``: whether a run is right on an example, or what it predicts there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stabbench.statistics.components import variance_components
from stabbench.statistics.effects import Effect

# Every pair of runs is looked at; of more runs than this the first are taken.
MOST_PAIRED = 200


@dataclass(frozen=True)
class SpreadParts:
    """The variance of accuracy over runs, in its two parts; a part's estimate may be negative, its bounds not.

    Attributes:
        total: The sample variance of the accuracies.
        models: What the models themselves differ by: the variance of accuracy on endless examples. More seeds make its
            estimate better, more examples change nothing in it.
        examples: The rest, which a finite evaluation set adds. More examples make it smaller, more seeds do not.
        runs: How many.
        number: How many examples.
    """

    total: float
    models: Effect
    examples: Effect
    runs: int
    number: int


def spread_parts(right: ArrayLike, confidence: float = 0.95) -> SpreadParts:
    """Split the variance of accuracy into what the models and what the evaluation set contribute.

    With acc_k the accuracy of run k, and v_j the sample variance over runs of being right on example j::

        models   = n / (n - 1) * (Var(acc) - sum_j v_j / n^2)
        examples = Var(acc) - models

    Both are unbiased where the examples are drawn independently from one population, and the runs, too. ``models`` is
    the rows' component of the analysis of variance, whose interval it has: approximate, as runs that collapse are not
    normal. That of ``examples`` is from the spread of the v_j.

    Args:
        right: Whether run k is right on example j, ``[runs, examples]``.
        confidence: Of each interval, with equal error on both sides.

    Raises:
        ValueError: Fewer than two runs or two examples.
    """
    from scipy import stats

    y = np.asarray(right, dtype=np.float64)
    if y.ndim != 2 or min(y.shape) < 2:
        raise ValueError(f"needs at least two runs and two examples, not {y.shape}")
    n = y.shape[1]
    total, each = float(y.mean(1).var(ddof=1)), y.var(axis=0, ddof=1)
    models = n / (n - 1) * (total - float(each.sum()) / n**2)
    rows = variance_components(y, confidence).rows  # type: ignore[arg-type]  # an array is a sequence of sequences
    rest = total - models
    reach = float(stats.norm.ppf((1 + confidence) / 2)) * float(each.std(ddof=1)) / math.sqrt(n) / n
    examples = Effect(rest, max(0.0, rest - reach), rest + reach)
    return SpreadParts(total, Effect(models, rows.low, rows.high), examples, *y.shape)


def coded(predictions: ArrayLike) -> NDArray[np.int64]:
    """Predictions as numbers from 0, ``[runs, examples]``: equal ones, sets of labels too, have equal numbers.

    Args:
        predictions: Class numbers or names ``[runs, examples]``, or of several labels 0 and 1
            ``[runs, examples, classes]``.
    """
    given = np.asarray(predictions)
    flat = given.reshape(-1, *given.shape[2:])
    _, codes = np.unique(flat, axis=0, return_inverse=True)
    return codes.reshape(given.shape[:2]).astype(np.int64)


def answer_counts(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many runs gave each answer to each example, ``[examples, answers]``, of what :func:`coded` gave."""
    return np.stack([(codes == answer).sum(0) for answer in range(int(codes.max()) + 1)], axis=1)


def disagreement(codes: NDArray[np.int64]) -> float:
    """The share of examples on which two runs differ, averaged over all pairs of runs.

    Unbiased for two new runs.

    Raises:
        ValueError: Fewer than two runs, or no example.

    Source: Du and Nguyen 2023, Measuring the Instability of Fine-Tuning, section 3.
    """
    runs, counts = _checked(codes)
    return 1.0 - float((counts * (counts - 1)).sum(1).mean()) / (runs * (runs - 1))


def fleiss_kappa(codes: NDArray[np.int64]) -> float | None:
    """Fleiss' kappa: 1 where all runs agree on every example, 0 where they agree as by chance; None for one answer.

    Raises:
        ValueError: Fewer than two runs, or no example.

    Source: Fleiss 1971; Du and Nguyen 2023, section 3.
    """
    counts = _checked(codes)[1]
    by_chance = float(np.square(counts.sum(0) / counts.sum()).sum())
    agreed = 1.0 - disagreement(codes)
    return None if math.isclose(by_chance, 1.0) else (agreed - by_chance) / (1.0 - by_chance)


def jensen_shannon(shares: ArrayLike) -> float:
    """The Jensen-Shannon divergence of the predictions of two runs in bits, averaged over examples and pairs of runs.

    0 where all runs give the same probabilities, 1 where they are certain of opposites.

    Args:
        shares: The probability that each run gives one of two classes, ``[runs, examples]``.

    Raises:
        ValueError: Fewer than two runs, or no example.

    Source: Du and Nguyen 2023, section 3.
    """
    p = np.asarray(shares, dtype=np.float64)[:MOST_PAIRED]
    if p.ndim != 2 or len(p) < 2 or not p.shape[1]:
        raise ValueError(f"needs at least two runs and an example, not {p.shape}")
    own = _entropy(p)
    pairs = [
        float((_entropy((p[k] + p[k + 1 :]) / 2) - (own[k] + own[k + 1 :]) / 2).mean(1).sum()) for k in range(len(p))
    ]
    return math.fsum(pairs) / (len(p) * (len(p) - 1) / 2)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of two classes, in bits."""
    from scipy.special import entr

    both: NDArray[np.float64] = (entr(p) + entr(1 - p)) / math.log(2)
    return both


def _checked(codes: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    if codes.ndim != 2 or len(codes) < 2 or not codes.shape[1]:
        raise ValueError(f"needs at least two runs and an example, not {codes.shape}")
    return len(codes), answer_counts(codes)
