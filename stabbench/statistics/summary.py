"""The numbers that describe one recipe's runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """What a set of runs gave, one entry a planned run.

    Attributes:
        scores: None where a score is not finite.
        failed: Whether the run failed; a run without a score has.

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
        """How many of them failed."""
        return sum(self.failed)

    @property
    def finite(self) -> list[float]:
        """The scores, without those of runs that have none."""
        return [s for s in self.scores if s is not None]

    @property
    def collapsed(self) -> bool:
        """Whether every run failed: a spread of such runs says nothing."""
        return bool(self.failed) and all(self.failed)


@dataclass(frozen=True)
class Summary:
    """Scores of one recipe over its seeds. None where a number is not defined.

    Attributes:
        planned: The number of runs that were asked for: the denominator of every rate.
        failed: How many of them failed.
        mean: Over all finite scores, those of failed runs included.
        median: Likewise.
        std: Sample standard deviation (ddof 1); None under two finite scores.
        population_std: With ddof 0, as in the public code of Yang and Ma 2022.
        ok_std: Sample standard deviation over the runs that did not fail.
        min: The lowest finite score.
        max: The highest finite score.
        collapsed: Every run failed.
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

    @property
    def mean_and_std(self) -> str:
        """As tables have it: ``0.804 ± 0.011``."""
        return " ± ".join("-" if value is None else f"{value:.3f}" for value in (self.mean, self.std))


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
