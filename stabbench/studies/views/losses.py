"""Mean and range of the training loss over the runs, step by step (as Zhang et al. 2021, Fig. 3 and 11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.computed import WINDOWS, described, over_runs, padded, window_means, window_of
from stabbench.studies.views.panels import (
    axes_of,
    colours,
    failures,
    legend,
    place_columns,
    places,
    series,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def table(result: StudyResult) -> Table:
    """The loss at the end of the training and half way."""
    rows: list[list[Entry]] = []
    for row in result.rows:
        final = [record.final_loss for record in row.runs.records]
        losses = _losses(result, row)
        window = window_of(losses)
        start = (losses.shape[1] - window) // 2
        half_way = over_runs(losses[:, start : start + window].T).mean
        rows.append(
            [*places(result, row), failures(row), *_range(final), numbers.count(final.count(None)), *_range(half_way)]
        )
    columns = ["failed", "final loss", "min", "max", "not finite", "loss half way", "min", "max"]
    notes = [
        "Means and ranges over the runs whose loss is finite there. Final: mean of a run's last epoch; half way: mean "
        f"of 1/{WINDOWS} of its steps, those in the middle.",
    ]
    return Table([*place_columns(result), *columns], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one line and its range a recipe."""
    colour = colours([series(result, row) for row in result.rows])
    for _, rows, axes in axes_of(result, figure, 3.4):
        windows = set()
        for row in rows:
            losses = _losses(result, row)
            windows.add(window_of(losses))
            steps, means = window_means(losses)
            found = over_runs(means)
            name = series(result, row)
            axes.fill_between(steps, found.low, found.high, color=colour[name], alpha=0.15, linewidth=0)
            axes.plot(steps, found.mean, color=colour[name], linewidth=1.2, label=name)
        axes.set_xlim(0, max(row.steps for row in rows))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("step", fontsize=7)
        means_of = "–".join(str(window) for window in sorted({min(windows), max(windows)}))
        smoothed = f", means of {means_of} steps" if max(windows) > 1 else ""
        axes.set_ylabel(f"training loss{smoothed}", fontsize=7)
    legend(figure)


def _losses(result: StudyResult, row: Row) -> NDArray[np.float64]:
    """One row a run, one column a step."""
    return padded([history.losses for history in result.histories(row)])


def _range(losses: Iterable[float | None]) -> list[Number]:
    found = described(losses)
    return [numbers.score(value, 4) for value in (found.mean, found.min, found.max)]
