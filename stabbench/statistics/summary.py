"""Descriptive statistics of one recipe's runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """The scores and outcomes of a set of runs, one entry a run.

    Attributes:
        scores: The score of each run; None where it is not finite.
        failed: Whether each run failed; a run without a score has failed.

    Raises:
        ValueError: Lists of different lengths, a score that is not finite, or none for a run that has not failed.
    """

    scores: Sequence[float | None]
    failed: Sequence[bool]

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.failed):
            raise ValueError(f"{len(self.scores)} scores and {len(self.failed)} outcomes")
        for score, failed in zip(self.scores, self.failed, strict=True):
            if score is not None and not math.isfinite(score):
                raise ValueError(f"score {score} is not finite: write None, and count the run as failed")
            if score is None and not failed:
                raise ValueError("a run without a score has failed")

    @property
    def planned(self) -> int:
        """The number of runs: the denominator of every rate."""
        return len(self.scores)

    @property
    def failures(self) -> int:
        """The number of failed runs."""
        return sum(self.failed)

    @property
    def finite(self) -> list[float]:
        """The scores of the runs that have one."""
        return [s for s in self.scores if s is not None]

    @property
    def collapsed(self) -> bool:
        """Whether every run failed: the spread of such runs is meaningless."""
        return bool(self.failed) and all(self.failed)


@dataclass(frozen=True)
class Summary:
    """Descriptive statistics of one recipe's scores over its seeds. None where a number is not defined.

    Attributes:
        planned: The number of runs: the denominator of every rate.
        failed: The number of failed runs.
        mean: The mean of all finite scores, those of failed runs included.
        median: The median of the same scores.
        std: Their sample standard deviation (ddof 1); None under two finite scores.
        population_std: Their standard deviation with ddof 0, as in the public code of Yang and Ma 2022.
        ok_std: Sample standard deviation over the runs that did not fail.
        min: The lowest finite score.
        max: The highest finite score.
        collapsed: Whether every run failed.
    """

    planned: int
    failed: int
    mean: float | None
    median: float | None
    std: float | None
    population_std: float | None
    ok_std: float | None
    min: float | None
    max: float | None
    collapsed: bool


def summarise(sample: Sample) -> Summary:
    """Describe one recipe's runs."""
    finite = sample.finite
    ok = [s for s, failed in zip(sample.scores, sample.failed, strict=True) if s is not None and not failed]
    return Summary(
        planned=sample.planned,
        failed=sample.failures,
        mean=statistics.fmean(finite) if finite else None,
        median=statistics.median(finite) if finite else None,
        std=_std(finite),
        population_std=statistics.pstdev(finite) if len(finite) > 1 else None,
        ok_std=_std(ok),
        min=min(finite, default=None),
        max=max(finite, default=None),
        collapsed=sample.collapsed,
    )


def _std(scores: Sequence[float]) -> float | None:
    return statistics.stdev(scores) if len(scores) > 1 else None
