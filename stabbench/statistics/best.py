"""What the best of a few tries is worth (Dodge et al. 2019; Zhang et al. 2021, Fig. 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence


def expected_best(scores: Sequence[float], tries: int, *, replacement: bool = False) -> float:
    """The expected highest score of so many runs, drawn from ``scores``.

    Without replacement this is the unbiased estimate, the mean over all subsets of that size; with it, that of Dodge et
    al. and of Zhang et al. 2021.

    Raises:
        ValueError: Fewer than one try, or (without replacement) more than there are scores.
    """
    total, ordered = len(scores), sorted(scores)
    if not ordered or tries < 1 or (tries > total and not replacement):
        raise ValueError(f"the best of {tries} of {total} runs is not defined")
    if replacement:
        weights = [(rank / total) ** tries - ((rank - 1) / total) ** tries for rank in range(1, total + 1)]
    else:
        ways = math.comb(total, tries)
        weights = [math.comb(rank - 1, tries - 1) / ways for rank in range(1, total + 1)]
    return math.fsum(score * weight for score, weight in zip(ordered, weights, strict=True))
