"""The spread that each source of randomness makes (as Zhang et al. 2021, Fig. 10 and appendix B)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.statistics import Component, variance_components
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.computed import Crossing, described, over_runs
from stabbench.studies.views.panels import (
    axes_of,
    colours,
    failures,
    legend,
    metrics,
    place_columns,
    places,
    series,
    without,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES = ("initialisation", "data order and dropout", "interaction")


def table(result: StudyResult) -> Table:
    """The spread that remains when one source is held fixed, and the part that each source adds."""
    rows: list[list[Entry]] = []
    for row in result.rows:
        scores = _scores(row)
        spreads = [described(scores.flat).std, *(described(over_runs(way).std).mean for way in (scores.T, scores))]
        parts: list[Entry] = [*map(_described, _components(scores))] or [numbers.UNDEFINED] * len(SOURCES)
        rows.append([*places(result, row), failures(row), *(numbers.score(spread) for spread in spreads), *parts])
    records = [record for row in result.rows for record in row.runs.records]
    notes = [
        "Held: the mean of the standard deviations of the runs that share that seed. Sources: the standard deviation "
        "that each adds, its 95% interval, and its share of the variance.",
        *without(sum(r.score is None for r in records), "score", "the best constant predictor's in its place"),
    ]
    if any(row.runs.failed for row in result.rows):
        notes.append(
            "The intervals assume normal effects. Where runs fail they hold less well: in 68% of 5 x 5 tables and in "
            "93% of 20 x 20, where each initialisation fails with probability .2."
        )
    if not all(_components(_scores(row)) for row in result.rows):
        notes.append("A dash: that needs two seeds of either kind, and a run of every pair.")
    columns = ["failed", "std", "initialisation held", "data order held", *SOURCES]
    return Table([*place_columns(result), *columns], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task; for each source one bar a recipe, with its interval."""
    colour = colours([series(result, row) for row in result.rows])
    for _, rows, axes in axes_of(result, figure, 3.8):
        width = 0.8 / len(rows)
        for place, row in enumerate(rows):
            name = series(result, row)
            parts = _components(_scores(row))
            x = [source + width * (place - (len(rows) - 1) / 2) for source in range(len(parts))]
            low, std, high = (np.sqrt([getattr(p, bound) for p in parts]) for bound in ("low", "estimate", "high"))
            axes.bar(x, std, 0.9 * width, color=colour[name], alpha=0.7, label=name)
            axes.errorbar(x, std, [std - low, high - std], fmt="none", color="0.25", elinewidth=0.9, capsize=2.5)
        axes.set_xticks(range(len(SOURCES)), ["initialisation", "data order\nand dropout", "interaction"])
        axes.set_xlim(-0.5, len(SOURCES) - 0.5)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(f"std of {metrics(rows)}, 95% interval", fontsize=7)
    legend(figure)


def _scores(row: Row) -> NDArray[np.float64]:
    """The row's crossed runs; one without a finite score has the best constant predictor's."""
    crossing = Crossing.of(row)
    return np.where(np.isnan(crossing.scores) & crossing.failed, row.constant_score, crossing.scores)


def _components(scores: NDArray[np.float64]) -> list[Component]:
    """Those of the rows, the columns and the residual; none where they are not defined."""
    if min(scores.shape) < 2 or np.isnan(scores).any():
        return []
    found = variance_components(scores.tolist())
    return [found.rows, found.columns, found.residual]


def _described(part: Component) -> Number:
    low, std, high = (math.sqrt(value) for value in (part.low, part.estimate, part.high))
    return Number(std, f"{numbers.score(std)} ({numbers.interval(low, high)}), {part.share:.0%}")
