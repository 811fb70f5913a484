"""A box and every run's score, one column a recipe (Mosbach et al. 2021, Fig. 1 and 3; Zhang et al. 2021, Fig. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stabbench import statistics
from stabbench.gate.comparison import NO_STABILITY
from stabbench.report import numbers
from stabbench.report.pictures import draw_boxes
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.panels import (
    axes_of,
    constant_line,
    described_cells,
    failures,
    metrics,
    place_columns,
    places,
    series,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# From this number of boxes in a panel on, labels are slanted: they would overlap.
SLANTED_FROM = 5


def table(result: StudyResult) -> Table:
    """Failed runs and scores; spread and mean tested against the first row of the same panel."""
    references = {id(row): rows[0] for rows in result.panels().values() for row in rows}
    others = [row for row in result.rows if row is not references[id(row)]]
    levene = [statistics.levene_test(*_pair(row, references), "mean").p for row in others]
    means = [statistics.mean_test(*_pair(row, references)) for row in others]
    two_sided = [
        None if t.p_worse is None or t.p_better is None else min(1.0, 2 * min(t.p_worse, t.p_better)) for t in means
    ]
    adjusted = zip(*(statistics.benjamini_hochberg(p) for p in (levene, two_sided)), strict=True)
    tested = dict(zip(map(id, others), adjusted, strict=True))
    rows: list[list[Entry]] = []
    for row in result.rows:
        tests: list[Entry] = ["", ""]
        if id(row) in tested:
            tests = [numbers.p_value(p) for p in tested[id(row)]]
        rows.append([*places(result, row), failures(row), *described_cells(row.summary), *tests])
    columns = ["failed", "mean ± std", "min", "max", "Levene p", "mean p"]
    keys = result.differing(result.study.panels)
    of_same = f" of the same {' and '.join(keys)}" if keys else ""
    notes = [
        f"p-values: against the first row{of_same}, two-sided, Benjamini and Hochberg's adjustment in each "
        f"column ({len(others)} tests). Levene: equal spread, deviations from the mean; mean: Welch.",
    ]
    if any(row.runs.mostly_failed for row in result.rows):
        notes.append(f"{NO_STABILITY[0].upper()}{NO_STABILITY[1:]}.")
    return Table([*place_columns(result), *columns], rows, notes if others else notes[1:])


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one box a recipe."""
    # Every part of a label has a line of its own, but for a task "as it is".
    texts = {id(row): series(result, row).replace("as it is", "as\u00a0it\u00a0is") for row in result.rows}
    labels = {key: text.replace(",", ",\n").replace(" ", "\n") for key, text in texts.items()}
    longest = max(len(line) for label in labels.values() for line in label.splitlines())
    widest = max(len(rows) for rows in result.panels().values())
    slanted = widest >= SLANTED_FROM
    for _, rows, axes in axes_of(result, figure, 1.2 + widest * (0.55 if slanted else max(0.62, 0.065 * longest))):
        shown = [labels[id(row)] for row in rows]
        draw_boxes(
            axes, [row.runs for row in rows], [label.replace("\n", " ") for label in shown] if slanted else shown
        )
        constant_line(axes, rows)
        axes.tick_params(axis="x", labelsize=6)
        if slanted:
            for tick in axes.get_xticklabels():
                tick.set(rotation=35, ha="right", rotation_mode="anchor")
        axes.set_ylabel(metrics(rows), fontsize=7)


def _pair(row: Row, references: dict[int, Row]) -> tuple[list[float], list[float]]:
    return row.runs.finite_scores, references[id(row)].runs.finite_scores
