"""The expected score of the best of several runs (Dodge et al. 2019; Zhang et al. 2021, Fig. 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby


def expected_best(scores: Sequence[float], tries: int, *, replacement: bool = False) -> float:
    """The expected highest score of ``tries`` runs, drawn from ``scores``.

    Without replacement this is the unbiased estimate: the mean over all subsets of that size. With replacement it is
    the estimate of Dodge et al. and of Zhang et al. 2021.

    Raises:
        ValueError: Fewer than one try, or (without replacement) more than there are scores.
    """
    weights = _weights(len(scores), tries, replacement=replacement)
    return math.fsum(score * weight for score, weight in zip(sorted(scores), weights, strict=True))


def expected_selected(
    validation: Sequence[float], test: Sequence[float], tries: int, *, replacement: bool = True
) -> tuple[float, float]:
    """Mean and standard deviation of the test score of the run that has the best validation score of ``tries`` runs.

    Both come from the exact distribution over all draws; nothing is sampled. Runs with equal validation scores are
    selected equally often. With replacement this is Zhang et al. 2021, Fig. 4; without, the mean is the unbiased
    estimate, as in :func:`expected_best`.

    Args:
        validation: The validation score of each run.
        test: The test scores of the same runs, in the same order.
        tries: The number of runs drawn.
        replacement: Whether a run may be drawn again.

    Raises:
        ValueError: Fewer than one try, or (without replacement) more than there are runs; lists of different lengths;
            a score that is not finite.
    """
    if len(validation) != len(test):
        raise ValueError(f"{len(validation)} validation scores and {len(test)} test scores")
    if not all(map(math.isfinite, (*validation, *test))):
        raise ValueError("scores must be finite: a run without a score cannot be ranked")
    weights = iter(_weights(len(test), tries, replacement=replacement))
    runs = sorted(zip(validation, test, strict=True))
    chances: list[float] = []
    for _, group in groupby(runs, key=lambda run: run[0]):
        tied = [next(weights) for _ in group]
        chances += [math.fsum(tied) / len(tied)] * len(tied)
    outcomes = [(chance, score) for chance, (_, score) in zip(chances, runs, strict=True)]
    mean = math.fsum(chance * score for chance, score in outcomes)
    return mean, math.sqrt(math.fsum(chance * (score - mean) ** 2 for chance, score in outcomes))


def _weights(total: int, tries: int, *, replacement: bool) -> list[float]:
    """The probability of each run to be the best of those drawn, from the lowest rank to the highest."""
    if total == 0 or tries < 1 or (tries > total and not replacement):
        raise ValueError(f"the best of {tries} of {total} runs is not defined")
    if replacement:
        return [(rank / total) ** tries - ((rank - 1) / total) ** tries for rank in range(1, total + 1)]
    ways = math.comb(total, tries)
    return [math.comb(rank - 1, tries - 1) / ways for rank in range(1, total + 1)]
