"""Mean and range of the scores against a parameter, one line a recipe (as Zhang et al. 2021, Fig. 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stabbench.records.run import Outcome, RunRecord
from stabbench.report.table import Entry, Table
from stabbench.statistics import Summary
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.computed import described, padded, validated
from stabbench.studies.views.panels import (
    axes_of,
    colours,
    constant_line,
    cross,
    described_cells,
    failures,
    legend,
    metrics,
    place_columns,
    places,
    series,
    without,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From this ratio of the largest to the smallest value on, the axis is logarithmic.
LOGARITHMIC_FROM = 4


def table(result: StudyResult) -> Table:
    """Failed runs, and mean, spread and range of the scores."""
    on_validation = validated(result)
    rows: list[list[Entry]] = []
    for row in result.rows:
        found = _found(row, on_validation)
        rows.append([*places(result, row), failures(row), *described_cells(found)])
    lost = sum(_score(record, on_validation) is None for row in result.rows for record in row.runs.records)
    notes = [
        f"Scores: on the {'validation' if on_validation else 'evaluation'} set. Failed runs: by the evaluation set.",
        *without(lost, "score", "counted as failed, in none of the other numbers"),
    ]
    return Table([*place_columns(result), "failed", "mean ± std", "min", "max"], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one line and its range a recipe."""
    along, on_validation = result.study.x, validated(result)
    assert along is not None
    where = _positions(result.study.grid[along])
    colour = colours([series(result, row, along) for row in result.rows])
    for _, rows, axes in axes_of(result, figure, 3.4):
        lines: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: where[row.varied[along]]):
            lines.setdefault(series(result, row, along), []).append(row)
        for name, points in lines.items():
            x = [where[row.varied[along]] for row in points]
            found = [_found(row, on_validation) for row in points]
            low, mean, high = padded([[s.min for s in found], [s.mean for s in found], [s.max for s in found]])
            axes.fill_between(x, low, high, color=colour[name], alpha=0.15, linewidth=0)
            axes.plot(x, mean, "o-", color=colour[name], markersize=4, label=name)
        for row in rows:
            for record in row.runs.records:
                if record.outcome is Outcome.FAILED:
                    cross(axes, where[row.varied[along]], _score(record, on_validation))
        if not on_validation:  # the constant predictor's score is known for the evaluation set alone
            constant_line(axes, rows)
        _ticks(axes, where)
        axes.set_xlabel(along, fontsize=7)
        axes.set_ylabel(f"{metrics(rows)}, {'validation' if on_validation else 'evaluation'} set", fontsize=7)
    legend(figure)


def _score(record: RunRecord, on_validation: bool) -> float | None:
    return record.validation_score if on_validation else record.score


def _found(row: Row, on_validation: bool) -> Summary:
    return described(_score(record, on_validation) for record in row.runs.records)


def _positions(values: Any) -> dict[Any, float]:
    """Each value's place on the axis: numbers have their own, others come one after the other."""
    numeric = all(isinstance(value, int | float) for value in values)
    return {value: float(value) if numeric else place for place, value in enumerate(values)}


def _ticks(axes: Axes, where: Mapping[Any, float]) -> None:
    """One at every value."""
    low, high = min(where.values()), max(where.values())
    if low > 0 and high / low >= LOGARITHMIC_FROM:
        axes.set_xscale("log")
    axes.set_xticks(list(where.values()), [f"{v:g}" if isinstance(v, float) else str(v) for v in where])
    axes.minorticks_off()
    axes.tick_params(axis="x", rotation=45 if len(where) > 6 else 0)
