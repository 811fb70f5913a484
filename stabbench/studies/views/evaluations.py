"""Mean and spread of the scores at every evaluation during training (as Yang and Ma 2022, Fig. 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stabbench.records.history import History
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import StudyResult
from stabbench.studies.views.computed import over_runs, padded
from stabbench.studies.views.panels import (
    axes_of,
    colours,
    constant_line,
    failures,
    legend,
    metrics,
    place_columns,
    places,
    series,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The most columns of evaluations in a table.
COLUMNS = 12


def table(result: StudyResult) -> Table:
    """Mean and standard deviation at each evaluation; of many, at every second, third, …, and at the last."""
    histories = [result.histories(row) for row in result.rows]
    curves = [_curve(of_runs) for of_runs in histories]
    most = max(len(means) for _, means, _ in curves)
    every = -(-most // COLUMNS)
    shown = sorted({*range(every, most + 1, every), most})
    rows: list[list[Entry]] = []
    for row, (_, means, stds) in zip(result.rows, curves, strict=True):
        found = [
            numbers.mean_and_std(means[n - 1], stds[n - 1]) if n <= len(means) else numbers.UNDEFINED for n in shown
        ]
        rows.append([*places(result, row), failures(row), *found])
    lost = sum(None in history.scores for of_runs in histories for history in of_runs)
    notes = ["Mean ± std of the scores at each evaluation, numbered from 1, over the runs whose score is finite there."]
    if lost:
        notes.append(f"{lost} {'run has' if lost == 1 else 'runs have'} an evaluation without a finite score.")
    return Table([*place_columns(result), "failed", *map(str, shown)], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one line with error bars a recipe."""
    colour = colours([series(result, row) for row in result.rows])
    curves = {id(row): _curve(result.histories(row)) for row in result.rows}
    numbered = len({len(means) for _, means, _ in curves.values()}) == 1
    for _, rows, axes in axes_of(result, figure, 3.6):
        # Error bars at the same place would hide one another.
        apart = min(0.12, 0.8 / len(rows))
        for place, row in enumerate(rows):
            steps, means, stds = curves[id(row)]
            x = np.arange(1, len(means) + 1) + apart * (place - (len(rows) - 1) / 2) if numbered else np.asarray(steps)
            name = series(result, row)
            style: dict[str, Any] = {"markersize": 3.5, "linewidth": 1.2, "elinewidth": 0.8, "capsize": 2}
            axes.errorbar(x, means, stds, fmt="o-", color=colour[name], label=name, **style)
        constant_line(axes, rows)
        if numbered:
            axes.set_xlim(0.4, len(means) + 0.6)
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("evaluation" if numbered else "step", fontsize=7)
        axes.set_ylabel(metrics(rows), fontsize=7)
    legend(figure)


Curve = tuple[Sequence[int], NDArray[np.float64], NDArray[np.float64]]


def _curve(histories: Sequence[History]) -> Curve:
    """Steps, means and standard deviations of the evaluations of a row's runs."""
    found = over_runs(padded([history.scores for history in histories]))
    longest = max((history.evaluation_steps for history in histories), key=len)
    return longest or [1], found.mean, found.std
