"""Numbers that the views compute from a row's runs. Those that are not finite are left out; NaN where none is left."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stabbench import statistics
from stabbench.records.run import Outcome
from stabbench.statistics import Sample, Summary
from stabbench.studies.result import Row, StudyResult


def validated(result: StudyResult) -> bool:
    """Whether every task of the study has validation scores, as far as its runs have any score."""
    has: dict[tuple[str, str, str], bool] = {}
    for row in result.rows:
        if row.runs.finite_scores:
            known = any(record.validation_score is not None for record in row.runs.records)
            where = (row.task, row.variant, row.model)
            has[where] = has.get(where, False) or known
    return bool(has) and all(has.values())


class Spread(NamedTuple):
    """Of each column of a table over the rows that are finite there; NaN where none is."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def over_runs(values: NDArray[np.float64]) -> Spread:
    """Mean, std (of a sample), min and max of each column."""
    known = np.ma.masked_invalid(values)
    found = known.mean(axis=0), known.std(axis=0, ddof=1), known.min(axis=0), known.max(axis=0)
    return Spread(*(np.ma.filled(value, np.nan) for value in found))


def described(values: Iterable[float | None]) -> Summary:
    """Mean, std, min and max of those that are finite."""
    known = [None if value is None or math.isnan(value) else float(value) for value in values]
    return statistics.summarise(Sample(known, [value is None for value in known]))


@dataclass(frozen=True)
class Crossing:
    """A row's runs as a table: one row an initialisation seed, one column a seed of data order and dropout.

    Attributes:
        initialisations: The rows' seeds.
        orders: The columns' seeds.
        scores: NaN where there is no run, or no finite score.
        failed: Whether there is a run that failed.
    """

    initialisations: Sequence[int]
    orders: Sequence[int]
    scores: NDArray[np.float64]
    failed: NDArray[np.bool_]

    @classmethod
    def of(cls, row: Row) -> Crossing:
        """The runs of ``row``, each where its seeds are."""
        down = list(dict.fromkeys(record.seeds.initialisation for record in row.runs.records))
        across = list(dict.fromkeys(record.seeds.order for record in row.runs.records))
        crossing = cls(
            down, across, np.full((len(down), len(across)), np.nan), np.zeros((len(down), len(across)), bool)
        )
        for record in row.runs.records:
            place = down.index(record.seeds.initialisation), across.index(record.seeds.order)
            crossing.scores[place] = math.nan if record.score is None else record.score
            crossing.failed[place] = record.outcome is Outcome.FAILED
        return crossing


def padded(lists: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Lists as the rows of one table of at least one column; NaN for None and beyond the end of a list."""
    table = np.full((len(lists), max([1, *map(len, lists)])), np.nan)
    for row, values in zip(table, lists, strict=True):
        row[: len(values)] = [math.nan if value is None else value for value in values]
    return table


# The losses of single steps are too rough to be seen: means over a training's fiftieth are drawn.
WINDOWS = 50


def window_of(losses: NDArray[np.float64]) -> int:
    """The steps of one window of losses ``[runs, steps]``."""
    steps: int = losses.shape[1]
    return max(1, steps // WINDOWS)


def window_means(losses: NDArray[np.float64]) -> tuple[list[float], NDArray[np.float64]]:
    """The middle of each window of losses ``[runs, steps]``, and every run's means, ``[runs, windows]``."""
    window, last = window_of(losses), losses.shape[1]
    starts = range(0, last, window)
    means = [over_runs(losses[:, start : start + window].T).mean for start in starts]
    return [(start + 1 + min(start + window, last)) / 2 for start in starts], np.stack(means, axis=1)
