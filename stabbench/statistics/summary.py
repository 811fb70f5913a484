"""The numbers that describe one recipe's runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """Scores of one recipe over its seeds. None where a number is not defined.

    Attributes:
        planned: The number of runs that were asked for: the denominator of every rate.
        failed: How many of them failed.
        mean: Over all finite scores, those of failed runs included.
        std: Sample standard deviation (ddof 1); None under two finite scores.
        min: The lowest finite score.
        max: The highest finite score.
    """

    planned: int
    failed: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None


def summarise(scores: Sequence[float | None], failed: int) -> Summary:
    """Describe one recipe's scores, one a planned run; None stands for a score that is not finite.

    Raises:
        ValueError: More failed runs than planned ones.
    """
    if not 0 <= failed <= len(scores):
        raise ValueError(f"{failed} failed runs of {len(scores)} planned")
    finite = [s for s in scores if s is not None and math.isfinite(s)]
    if not finite:
        return Summary(len(scores), failed, None, None, None, None)
    return Summary(
        planned=len(scores),
        failed=failed,
        mean=statistics.fmean(finite),
        std=statistics.stdev(finite) if len(finite) > 1 else None,
        min=min(finite),
        max=max(finite),
    )
