"""How much the components of each part have changed, by step: how far, or how much turned.

As Yang and Ma 2022, Fig. 2 (root mean square of the differences to the pretrained values) and Fig. 4 and 5 (cosine).
Of a part the component counts that has changed most.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stabbench.records.history import Components
from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.panels import colours, failures, head, legend, place_columns, places
from stabbench.studies.views.probed import Floats, Probed, mean_over_runs, parts_of, probed, unprobed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most rows whose map is drawn.
MAPS = 8


@dataclass(frozen=True)
class Updates:
    """One measure of change.

    Attributes:
        measured: Its name on an axis.
        said: What it is, in a sentence.
        of: From what is kept of a run to its values, ``[probes, components]``; the largest is the greatest change.
    """

    measured: str
    said: str
    of: Callable[[Components], Floats]

    def table(self, result: StudyResult) -> Table:
        """The change of each part at the end of the training, one row a recipe."""
        found = [probed(result, row) for row in result.rows]
        shown = list(dict.fromkeys(part for runs in found for run in runs[:1] for part in parts_of(run.components)))
        rows: list[list[Entry]] = []
        for row, runs in zip(result.rows, found, strict=True):
            changes = self._changes(runs) if runs else {}
            cells: list[Entry] = [_cell(changes[part][-1]) if part in changes else numbers.UNDEFINED for part in shown]
            rows.append([*places(result, row), failures(row), *cells])
        return Table([*place_columns(result), "failed", *shown], rows, [self.said, *unprobed(result)])

    def draw(self, result: StudyResult, figure: Figure) -> None:
        """A map of parts and steps for each recipe, and all recipes at the end of the training."""
        found = [(row, runs) for row in result.rows if (runs := probed(result, row))][:MAPS]
        head(result, figure, max(4.2, 3.4 * (len(found) + 1)), 3.9)
        all_axes = figure.subplots(1, len(found) + 1, squeeze=False)[0]
        changes = [self._changes(runs) for _, runs in found]
        largest = max([float(np.nanmax(each)) for of_row in changes for each in of_row.values()
                       if np.isfinite(each).any()] or [1.0])  # fmt: skip
        for (row, runs), of_row, axes in zip(found, changes, all_axes, strict=False):
            self._map(axes, row, runs, of_row, largest)
        self._ends(result, all_axes[-1], found, changes)
        if all_axes[-1].lines:
            legend(figure)

    def _map(self, axes: Axes, row: Row, runs: Sequence[Probed], changes: dict[str, Floats], largest: float) -> None:
        image = axes.pcolormesh(
            [0, *runs[0].steps],
            range(len(changes) + 1),
            np.stack(list(changes.values())),
            cmap="viridis",
            vmin=0,
            vmax=largest or 1.0,
            rasterized=True,
        )
        axes.set_yticks([place + 0.5 for place in range(len(changes))], list(changes), fontsize=6)
        axes.set_title(f"{row.name}, {row.task}\n{numbers.counted(len(runs), 'run')}", fontsize=7)
        axes.set_xlabel("step", fontsize=7)
        axes.tick_params(axis="x", labelsize=6)
        bar = axes.figure.colorbar(image, ax=axes, label=self.measured)
        bar.ax.tick_params(labelsize=6)
        bar.ax.yaxis.label.set_fontsize(6)

    def _ends(
        self,
        result: StudyResult,
        axes: Axes,
        found: Sequence[tuple[Row, Sequence[Probed]]],
        changes: Sequence[dict[str, Floats]],
    ) -> None:
        keys = result.differing(("task", "variant", "model"))
        names = [", ".join([row.name, *(str(row.place(key)) for key in keys)]) for row, _ in found]
        colour = colours(names)
        for name, of_row in zip(names, changes, strict=True):
            ends = [values[-1] for values in of_row.values()]
            axes.plot(ends, range(len(of_row)), "o-", color=colour[name], markersize=3, linewidth=1.1, label=name)
        parts = list(changes[0]) if changes else []
        axes.set_yticks(range(len(parts)), parts, fontsize=6)
        axes.set_title("at the end of the training", fontsize=7)
        axes.set_xlabel(self.measured, fontsize=7)
        axes.set_xlim(left=0)
        axes.tick_params(axis="x", labelsize=6)

    def _changes(self, runs: Sequence[Probed]) -> dict[str, Floats]:
        """For each part the largest change of its components at each probe, the mean over runs, ``[probes]``."""
        return {
            part: mean_over_runs(runs, lambda components, part=part: self._largest(components, part))  # type: ignore[misc]
            for part in parts_of(runs[0].components)
        }

    def _largest(self, components: Components, part: str) -> Floats:
        own = self.of(components)[:, [name == part for name in components.parts]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of all NaN, as of biases that start from zeros
            return np.asarray(np.nanmax(own, axis=1), np.float64)


RMS = Updates(
    "root mean square of the change",
    "Root mean square of the differences to the values at the start, at the end of the training: of each part the "
    "component that has changed most, and the mean over runs, those that failed among them.",
    lambda components: np.asarray(components.update_rms, np.float64),
)
COSINE = Updates(
    "1 - cosine to the start",
    "1 - the cosine of the angle between the values at the end of the training and at its start: of each part the "
    "component that has turned most, and the mean over runs, those that failed among them. Components that start from "
    "zeros have none.",
    lambda components: np.asarray(components.cosine_distances, np.float64),
)


def _cell(value: float) -> Entry:
    return Number(float(value), f"{value:.2g}") if np.isfinite(value) else numbers.UNDEFINED
