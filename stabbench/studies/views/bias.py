"""How much larger Adam's update is without bias correction, by iteration (as Zhang et al. 2021, Fig. 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stabbench.errors import StudyError
from stabbench.recipes import Recipe
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.panels import PALETTE, head, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Betas = tuple[float, float]

LISTED = (1, 10, 100, 1_000, 10_000, 100_000)
LAST = 1_000_000
# Labels of vertical lines that are nearer than this share of the axis would overlap.
APART = 0.05
# More tasks than these are only counted in such a label.
NAMED = 2


def table(result: StudyResult) -> Table:
    """The ratio of the update without to that with correction, at powers of ten and where each training ends."""
    pairs = _pairs(result)
    ends = _ends(result)
    last = max(LISTED[-1], *(steps for _, steps in ends))
    rows: list[list[Entry]] = []
    for pair in pairs:
        ratios = _ratios(np.arange(1, last + 1), pair)
        means = np.cumsum(ratios) / np.arange(1, last + 1)
        where = [("", step) for step in LISTED] + [end for end, of in ends.items() if pair in of]
        rows += [
            [
                f"{pair[0]}, {pair[1]}",
                numbers.count(step),
                numbers.score(ratios[step - 1]),
                numbers.score(means[step - 1]),
                task,
            ]
            for task, step in sorted(where, key=lambda item: item[1])
        ]
    notes = ["Ratio: Adam's update without bias correction over that with it; its mean is over all steps until then."]
    columns = ["beta1, beta2", "step", "ratio", "mean ratio", "end of training on"]
    first = 0 if len(pairs) > 1 else 1
    return Table(columns[first:], [row[first:] for row in rows], notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One curve for each pair of betas, and a vertical line where each training ends."""
    head(result, figure, 6.4, 4.4)
    axes = figure.add_subplot()
    ends = _ends(result)
    last = max(LAST, *(steps for _, steps in ends))
    steps = np.unique(np.geomspace(1, last, 400).round().astype(int))
    for colour, (beta1, beta2) in zip(PALETTE, _pairs(result), strict=False):
        axes.plot(steps, _ratios(steps, (beta1, beta2)), color=colour, label=f"beta1 = {beta1}, beta2 = {beta2}")
    axes.axhline(1, color="0.6", linestyle="--", linewidth=1, label="no bias")
    logarithmic(axes)
    axes.set_xlim(1, last)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step", fontsize=8)
    axes.set_ylabel("update without over update with bias correction", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, loc="upper right")
    _mark(axes, [(end, task) for task, end in ends], last)


def _mark(axes: Axes, ends: list[tuple[int, str]], last: int) -> None:
    """A vertical line at each step at which trainings end, and above the axes on which tasks."""
    at = -1.0
    for step in sorted({step for step, _ in ends}):
        at = max(float(np.log(step) / np.log(last)), at + APART)
        axes.axvline(step, color="0.3", linewidth=0.8, linestyle=":")
        tasks = [task for end, task in ends if end == step]
        axes.annotate(
            ", ".join(tasks) if len(tasks) <= NAMED else f"{len(tasks)} tasks",
            xy=(step, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(at, 1.04),
            textcoords="axes fraction",
            rotation=40,
            rotation_mode="anchor",
            fontsize=7,
            arrowprops={
                "arrowstyle": "-",
                "color": "0.3",
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0),
            },
        )


def _ratios(steps: NDArray[np.int_], betas: Betas) -> NDArray[np.float64]:
    from stabbench.optim import adam_bias_correction

    return np.array([1 / adam_bias_correction(int(step), *betas) for step in steps])


def _betas(row: Row) -> Betas:
    if not isinstance(row.resolved, Recipe):
        raise StudyError(f"{row.recipe!r} is a training: its view needs Adam's beta1 and beta2, which recipes have")
    return row.resolved.beta1, row.resolved.family_value("beta2")


def _pairs(result: StudyResult) -> list[Betas]:
    """The different ones, in the order of the rows."""
    return list(dict.fromkeys(map(_betas, result.rows)))


def _ends(result: StudyResult) -> dict[tuple[str, int], set[Betas]]:
    """Each task and number of steps, with the betas of the trainings that end there."""
    ends: dict[tuple[str, int], set[Betas]] = {}
    for row in result.rows:
        task = f"{row.task}:{row.variant}" if row.variant and len(result.study.variants) > 1 else row.task
        ends.setdefault((task, row.steps), set()).add(_betas(row))
    return ends
