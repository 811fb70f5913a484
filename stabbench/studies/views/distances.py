"""How far blocks are from their start, by step (as Zhang et al. 2021, Fig. 7 and 15 to 18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.panels import colours, failures, legend, place_columns, places, series, side_by_side
from stabbench.studies.views.probed import Floats, Probed, mean_over_runs, parts_of, probed, some_blocks, unprobed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Blocks with a panel each, and blocks in the table.
DRAWN, LISTED = 4, 12


def table(result: StudyResult) -> Table:
    """The distances of the blocks, and of what is above them, at the end of the training."""
    found = [probed(result, row) for row in result.rows]
    first = next((runs[0].components for runs in found if runs), None)
    shown: list[str] = []
    if first is not None:
        shown = [*some_blocks(first, LISTED), *(part for part in parts_of(first) if part in ("pooler", "head"))]
    rows: list[list[Entry]] = []
    for row, runs in zip(result.rows, found, strict=True):
        ends = [_distances(runs, part)[-1] if runs and part in runs[0].components.parts else None for part in shown]
        rows.append([*places(result, row), failures(row), *(numbers.score(end) for end in ends)])
    notes = [
        "L2 distances to the start of the training, at its end; means over runs, those that failed among them. What a "
        "recipe draws anew starts from what was drawn."
    ]
    return Table([*place_columns(result), "failed", *shown], rows, [*notes, *unprobed(result)])


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel for each of four blocks, one line a recipe."""
    colour = colours([series(result, row) for row in result.rows])
    panels: list[tuple[str, str, list[Row]]] = []
    for title, rows in result.panels().items():
        runs = next(filter(None, (probed(result, row) for row in rows)), None)
        of_model = some_blocks(runs[0].components, DRAWN) if runs else []
        panels += [(f"{title}, {block}", block, rows) for block in of_model or ["nothing is kept"]]
    for (_, block, rows), axes in zip(
        panels, side_by_side(result, figure, [title for title, *_ in panels], 3.2), strict=True
    ):
        for row in rows:
            if (runs := probed(result, row)) and block in runs[0].components.parts:
                name = series(result, row)
                axes.plot(runs[0].steps, _distances(runs, block), color=colour[name], linewidth=1.3, label=name)
        axes.set_xlim(0, max(1, *(row.steps for row in rows)))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("step", fontsize=7)
        axes.set_ylabel("L2 distance to the start", fontsize=7)
    if any(axes.lines for axes in figure.axes):
        legend(figure)


def _distances(runs: Sequence[Probed], part: str) -> Floats:
    return mean_over_runs(runs, lambda components: components.of_part(components.distances, part))
