"""The score of every run against its final training loss (as Mosbach et al. 2021, Fig. 8b)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stabbench.records.run import Outcome, RunRecord
from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.studies.result import StudyResult
from stabbench.studies.views.computed import described
from stabbench.studies.views.panels import (
    axes_of,
    colours,
    constant_line,
    cross,
    legend,
    logarithmic,
    metrics,
    series,
    without,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# With more lines than these in the legend, a colour is a recipe's, or a value's of the grid's first parameter.
COLOURED = 12
# A logarithmic axis has no zero.
LEAST_LOSS = 1e-7


def table(result: StudyResult) -> Table:
    """For each panel: rank correlation, and the scores by the final loss, in quarters of all runs."""
    panels = {title: [r for row in rows for r in row.runs.records] for title, rows in result.panels().items()}
    measured = [r for records in panels.values() for r in records if r.score is not None and r.final_loss is not None]
    quarters = _quarters([r.final_loss for r in measured if r.final_loss is not None])
    rows: list[list[Entry]] = []
    for title, records in panels.items():
        failed = sum(record.outcome is Outcome.FAILED for record in records)
        quartered = [[r.score for r in records if r.final_loss is not None and low < r.final_loss <= high]
                     for low, high in quarters]  # fmt: skip
        cells = [numbers.failed_of(failed, len(records)), numbers.score(_rank_correlation(records))]
        rows.append([title, *cells, *map(_mean_and_number, quartered)])
    lost = sum(map(len, panels.values())) - len(measured)
    notes = [
        "Rank correlation: Spearman's, of final loss and score, over the runs that did not fail. By final loss, in "
        "quarters of all runs: mean ± std of the scores, those of failed runs too, and in brackets their number.",
        *without(lost, "score or loss", "counted as failed, in none of the other numbers"),
    ]
    names = [f"loss {'up' if math.isinf(low) else f'{low:.3g}'} to {high:.3g}" for low, high in quarters]
    return Table(["panel", "failed", "rank correlation", *names], rows, notes)


def _mean_and_number(scores: Sequence[float | None]) -> Entry:
    found = described(score for score in scores if score is not None)
    shown = numbers.mean_and_std(found.mean, found.std)
    return Number(shown.value, f"{shown} ({found.planned})") if found.planned else numbers.UNDEFINED


def _quarters(losses: Sequence[float]) -> list[tuple[float, float]]:
    """Above what and up to what each quarter is; fewer where many losses are equal."""
    if not losses:
        return []
    edges = [-math.inf, *dict.fromkeys(float(edge) for edge in np.quantile(losses, [0.25, 0.5, 0.75, 1]))]
    return list(itertools.pairwise(edges))


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task, one point a run."""
    names = _names(result)
    colour = colours(list(names.values()))
    for _, rows, axes in axes_of(result, figure, 3.4):
        logarithmic(axes)
        for row in rows:
            for record in row.runs.records:
                loss = None if record.final_loss is None else max(record.final_loss, LEAST_LOSS)
                if record.outcome is Outcome.FAILED or loss is None or record.score is None:
                    cross(axes, loss, record.score)
                else:
                    name = names[id(row)]
                    axes.plot(loss, record.score, "o", color=colour[name], markersize=4, alpha=0.6, label=name)
        losses = [r.final_loss for row in rows for r in row.runs.records if r.final_loss is not None] or [LEAST_LOSS]
        first = math.floor(math.log10(max(min(losses), LEAST_LOSS)))
        axes.set_xlim(10**first, 10 ** max(first + 1, math.ceil(math.log10(max(*losses, LEAST_LOSS)) + 0.01)))
        constant_line(axes, rows)
        axes.set_xlabel("final training loss", fontsize=7)
        axes.set_ylabel(metrics(rows), fontsize=7)
    legend(figure)


def _names(result: StudyResult) -> dict[int, str]:
    """For the identity of each row what its colour stands for."""
    full = {id(row): series(result, row) for row in result.rows}
    if len(set(full.values())) <= COLOURED:
        return full
    if len(result.study.recipes) > 1 or not result.study.grid:
        return {id(row): row.recipe for row in result.rows}
    first = next((key for key in result.study.grid if key not in result.study.panels), next(iter(result.study.grid)))
    return {id(row): f"{first}={row.varied[first]}" for row in result.rows}


def _rank_correlation(records: Sequence[RunRecord]) -> float | None:
    """None where it is not defined."""
    from scipy.stats import spearmanr

    ok = [(r.final_loss, r.score) for r in records if r.outcome is Outcome.OK]
    known = [(loss, score) for loss, score in ok if loss is not None and score is not None]
    losses, scores = zip(*known, strict=True) if known else ((), ())
    if min(len(set(losses)), len(set(scores))) < 2:
        return None
    return float(spearmanr(losses, scores).statistic)
