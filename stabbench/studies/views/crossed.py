"""The score of every initialisation seed with every data-order seed (as Zhang et al. 2021, Fig. 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.study import PANELS
from stabbench.studies.views.computed import Crossing, described, over_runs
from stabbench.studies.views.panels import (
    described_cells,
    failures,
    metrics,
    place_columns,
    places,
    side_by_side,
    without,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to this number of seeds either way there is room for numbers.
WRITTEN = 10


def table(result: StudyResult) -> Table:
    """The scores' mean, spread and range, and the ranges of the means over either seed."""
    rows: list[list[Entry]] = []
    for row in result.rows:
        scores = Crossing.of(row).scores
        every = described(scores.flat)
        ranges = [described(over_runs(way).mean) for way in (scores.T, scores)]
        cells = [failures(row), *described_cells(every)]
        rows.append([*places(result, row), *cells, *(numbers.interval(r.min, r.max) for r in ranges)])
    lost = sum(record.score is None for row in result.rows for record in row.runs.records)
    columns = ["failed", "mean ± std", "min", "max", "means by initialisation", "means by data order"]
    notes = [
        "Means by initialisation: from the lowest to the highest mean of the runs that share the initialisation seed; "
        "by data order: of those that share the seed of data order and dropout.",
        *without(lost, "score", "counted as failed, in none of the other numbers"),
    ]
    return Table([*place_columns(result), *columns], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a row of the table, in one scale of colours."""
    crossings = [Crossing.of(row) for row in result.rows]
    known = described(score for crossing in crossings for score in crossing.scores.flat)
    scale = (known.min, known.max) if known.min is not None and known.max is not None else (0.0, 1.0)
    panels = list(side_by_side(result, figure, [_title(result, row) for row in result.rows], 3.4))
    for axes, crossing in zip(panels, crossings, strict=True):
        image = axes.imshow(crossing.scores, cmap="YlGnBu", vmin=scale[0], vmax=scale[1], aspect="auto")
        written = max(crossing.scores.shape) <= WRITTEN
        for (i, j), score in np.ndenumerate(crossing.scores):
            dark = score > sum(scale) / 2
            if written and not np.isnan(score):
                text = f"{100 * score:.0f}"
                axes.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
            if crossing.failed[i, j]:
                at = (j + 0.32, i - 0.28) if written and not np.isnan(score) else (j, i)
                axes.plot(*at, "x", color="tab:red", markersize=4)
        _ticks(axes, crossing)
    if panels:
        bar = figure.colorbar(image, ax=panels, shrink=0.8)
        bar.set_label(f"{metrics(result.rows)} (red cross: failed run)", fontsize=7)
        bar.ax.tick_params(labelsize=7)


def _title(result: StudyResult, row: Row) -> str:
    keys = result.differing(PANELS)
    return "\n".join([*([", ".join(str(row.place(key)) or "as it is" for key in keys)] if keys else []), row.name])


def _ticks(axes: Axes, crossing: Crossing) -> None:
    for axis, seeds in ((axes.yaxis, crossing.initialisations), (axes.xaxis, crossing.orders)):
        every = -(-len(seeds) // WRITTEN)
        axis.set_ticks(range(0, len(seeds), every), [str(seed) for seed in seeds[::every]])
    axes.set_ylabel("initialisation", fontsize=7)
    axes.set_xlabel("data order and dropout", fontsize=7)
