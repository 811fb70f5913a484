"""What bias correction makes of Adam's update, by iteration.

As the factor that it is (Mosbach et al. 2021, Fig. 6), or as how much larger the update is without it (Zhang et al.
2021, Fig. 1).
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Bias:
    """One way to show it.

    Attributes:
        word: What is shown, in a heading.
        measured: On an axis.
        said: In a sentence.
        without: Of a line at one.
        inverse: Whether it is one over the factor of the correction.
    """

    word: str
    measured: str
    said: str
    without: str
    inverse: bool

    def table(self, result: StudyResult) -> Table:
        """The values at powers of ten and where each training ends."""
        pairs = _pairs(result)
        ends = _ends(result)
        last = max(LISTED[-1], *(steps for _, steps in ends))
        rows: list[list[Entry]] = []
        for pair in pairs:
            values = self._values(np.arange(1, last + 1), pair)
            means = np.cumsum(values) / np.arange(1, last + 1)
            where = [("", step) for step in LISTED] + [end for end, of in ends.items() if pair in of]
            rows += [
                [
                    f"{pair[0]}, {pair[1]}",
                    numbers.count(step),
                    numbers.score(values[step - 1]),
                    numbers.score(means[step - 1]),
                    task,
                ]
                for task, step in sorted(where, key=lambda item: item[1])
            ]
        columns = ["beta1, beta2", "step", self.word, f"mean {self.word}", "end of training on"]
        first = 0 if len(pairs) > 1 else 1
        return Table(columns[first:], [row[first:] for row in rows], [self.said])

    def draw(self, result: StudyResult, figure: Figure) -> None:
        """One curve for each pair of betas, and a vertical line where each training ends."""
        head(result, figure, 6.4, 4.4)
        axes = figure.add_subplot()
        ends = _ends(result)
        last = max(LAST, *(steps for _, steps in ends))
        steps = np.unique(np.geomspace(1, last, 400).round().astype(int))
        for colour, (beta1, beta2) in zip(PALETTE, _pairs(result), strict=False):
            label = f"beta1 = {beta1}, beta2 = {beta2}"
            axes.plot(steps, self._values(steps, (beta1, beta2)), color=colour, label=label)
        axes.axhline(1, color="0.6", linestyle="--", linewidth=1, label=self.without)
        logarithmic(axes)
        axes.set_xlim(1, last)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("step", fontsize=8)
        axes.set_ylabel(self.measured, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.legend(fontsize=7, loc="upper right" if self.inverse else "lower right")
        _mark(axes, [(end, task) for task, end in ends], last)

    def _values(self, steps: NDArray[np.int_], betas: Betas) -> NDArray[np.float64]:
        from stabbench.optim import adam_bias_correction

        factors = np.array([adam_bias_correction(int(step), *betas) for step in steps])
        return 1 / factors if self.inverse else factors


RATIO = Bias(
    "ratio",
    "update without over update with bias correction",
    "Ratio: Adam's update without bias correction over that with it; its mean is over all steps until then.",
    "no bias",
    inverse=True,
)
FACTOR = Bias(
    "factor",
    "factor on the learning rate",
    "Factor: what bias correction multiplies the learning rate by, sqrt(1 - beta2^t) / (1 - beta1^t); its mean is over "
    "all steps until then.",
    "without bias correction",
    inverse=False,
)


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
