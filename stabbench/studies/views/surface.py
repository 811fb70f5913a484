"""Loss or gradient norm in the plane of a failed and a successful model (as Mosbach et al. 2021, Fig. 7 and 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stabbench.records.run import RunRecord
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import StudyResult
from stabbench.studies.views.panels import side_by_side
from stabbench.studies.with_weights import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVELS = 12
NOTE = (
    "At: the pretrained model with the head that the failed run starts with, the failed and the successful model. "
    "Between: the highest on the straight line from the failed to the successful model; above both it is a barrier. "
    "On 128 training examples, without dropout."
)


@dataclass(frozen=True)
class SurfaceView:
    """One of the two.

    Attributes:
        measured: What is shown.
        which: Its place in pairs of loss and gradient norm.
    """

    measured: str
    which: int

    def table(self, result: StudyResult) -> Table:
        """One row a surface: the values at the three models, and between the two trained ones."""
        rows: list[list[Entry]] = []
        notes = [NOTE]
        for surface, title in _titled(result):
            for run, word in ((surface.failed, "failed"), (surface.successful, "successful")):
                if run is None:
                    notes.append(f"{title}: no {word} run, so there is no surface.")
            cells: list[Entry] = [*(numbers.score(pair[self.which]) for pair in surface.at)] or [numbers.UNDEFINED] * 3
            line = [pair[self.which] for pair in surface.between if np.isfinite(pair[self.which])]
            highest = numbers.score(max(line)) if line else numbers.UNDEFINED
            constant = [numbers.score(surface.constant_loss)] if self.which == 0 else []
            rows.append([title, _named(surface.failed), _named(surface.successful), *cells, highest, *constant])
        columns = ["surface", "failed", "successful", *(f"at {of}" for of in ("pretrained", "failed", "successful"))]
        constant_column = ["loss of constant"] if self.which == 0 else []
        return Table([*columns, "between", *constant_column], rows, notes, self.measured)

    def draw(self, result: StudyResult, figure: Figure) -> None:
        """One panel a surface, its shades on a logarithmic scale."""
        titled = _titled(result)
        for (surface, _), axes in zip(titled, side_by_side(result, figure, [t for _, t in titled], 4.2), strict=True):
            values = (surface.losses, surface.norms)[self.which]
            if not np.isfinite(values).any():
                axes.text(0.5, 0.5, "there is none", transform=axes.transAxes, ha="center", va="center", fontsize=8)
                continue
            self._fill(axes, surface, values)

    def _fill(self, axes: Axes, surface: Surface, values: np.ndarray) -> None:
        from matplotlib.colors import LogNorm

        known = np.ma.masked_invalid(np.clip(values, np.nanmax(values) * 1e-9 or 1e-12, None))
        low, high = float(known.min()), float(known.max())
        levels = np.geomspace(low, high if high > low else 2 * low, LEVELS)
        filled = axes.contourf(
            surface.axis, surface.axis, known, levels=levels, cmap="viridis", norm=LogNorm(), extend="both"
        )
        axes.contour(surface.axis, surface.axis, known, levels=levels, colors="white", linewidths=0.3)
        some = levels[:: LEVELS // 4]
        bar = axes.figure.colorbar(filled, ax=axes, ticks=some, format=lambda value, _: f"{value:.2g}")
        bar.set_label(self.measured, fontsize=7)
        bar.ax.tick_params(labelsize=6)
        bar.ax.minorticks_off()
        for x, y, name, marker in ((0, 0, "pretrained", "o"), (1, 0, "failed", "X"), (0, 1, "successful", "*")):
            colour = "tab:red" if name == "failed" else "white"
            axes.plot(x, y, marker, color=colour, markeredgecolor="black", markersize=7)
            axes.annotate(name, (x, y), (4, 4), textcoords="offset points", fontsize=7, color="white")
        axes.set_xlabel("alpha: towards the failed model", fontsize=7)
        axes.set_ylabel("beta: towards the successful model", fontsize=7)


def _titled(result: StudyResult) -> list[tuple[Surface, str]]:
    """The surfaces, each under what distinguishes it."""
    found: Sequence[Surface] = [each for each in result.measured if isinstance(each, Surface)]
    several = [place for place in range(3) if len({surface.place[place] for surface in found}) > 1]
    return [(s, ", ".join(s.place[place] or "as it is" for place in several) or s.place[0]) for s in found]


def _named(record: RunRecord | None) -> str:
    return numbers.UNDEFINED if record is None else f"{record.recipe}, seed {record.seeds.seed}"


LOSS = SurfaceView("training loss", 0)
NORM = SurfaceView("gradient norm", 1)
