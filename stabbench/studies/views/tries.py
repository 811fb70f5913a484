"""The expected score of the best of n tries, chosen on the validation set (as Zhang et al. 2021, Fig. 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stabbench import statistics
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.computed import validated
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
    without,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def table(result: StudyResult) -> Table:
    """The expected score and its standard deviation after 1, 2, 5, 10, 20, … tries."""
    on_validation = validated(result)
    most = max(len(row.runs.records) for row in result.rows)
    shown = [n * 10**power for power in range(len(str(most))) for n in (1, 2, 5) if n * 10**power <= most]
    rows: list[list[Entry]] = []
    for row in result.rows:
        runs = len(row.runs.records)
        expected = [
            numbers.mean_and_std(*_expected(row, n, on_validation)) if n <= runs else numbers.UNDEFINED for n in shown
        ]
        rows.append([*places(result, row), failures(row), *expected])
    chosen = (
        "by its validation score: the mean of its score, ± the standard deviation"
        if on_validation
        else "by that same score, as there is no validation set: the expected highest score, ± its standard deviation"
    )
    lost = sum(record.score is None for row in result.rows for record in row.runs.records)
    notes = [
        f"Of n runs, drawn with replacement, one is chosen {chosen}.",
        *without(lost, "score", "the best constant predictor's in its place"),
    ]
    return Table([*place_columns(result), "failed", *(f"n = {n}" for n in shown)], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one line and a band of one standard deviation a recipe."""
    on_validation = validated(result)
    colour = colours([series(result, row) for row in result.rows])
    for _, rows, axes in axes_of(result, figure, 3.4):
        for row in rows:
            tries = range(1, len(row.runs.records) + 1)
            expected = [_expected(row, n, on_validation) for n in tries]
            low, high = [mean - std for mean, std in expected], [mean + std for mean, std in expected]
            name = series(result, row)
            axes.fill_between(tries, low, high, color=colour[name], alpha=0.15, linewidth=0)
            axes.plot(tries, [mean for mean, _ in expected], "o-", color=colour[name], markersize=2.5, label=name)
        constant_line(axes, rows)
        axes.set_xlim(0, max(len(row.runs.records) for row in rows) + 1)
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("tries" if on_validation else "tries, chosen on the same score", fontsize=7)
        axes.set_ylabel(f"expected {metrics(rows)}", fontsize=7)
    legend(figure)


def _expected(row: Row, tries: int, on_validation: bool) -> tuple[float, float]:
    """Mean and standard deviation; a run without a finite score leaves one with the best constant predictor."""
    scores = [row.constant_score if r.score is None else r.score for r in row.runs.records]
    chosen_on = scores
    if on_validation:
        known = [None if r.score is None else r.validation_score for r in row.runs.records]
        chosen_on = [row.constant_score if score is None else score for score in known]
    return statistics.expected_selected(chosen_on, scores, tries)
