"""Maps: rows of cells in a few shades, written as one path a shade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stabbench.report.page.colours import COLOURS, LEVELS
from stabbench.report.page.document import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_map(axes: Axes, levels: NDArray[np.int_], left: float, right: float, height: float) -> None:
    """Draw cells of equal size; row 0 is at the bottom, from -.5 to .5.

    Cells of one level that touch in a row are one thick line, and all lines of a level are one path: few bytes.

    Args:
        axes: To draw on.
        levels: ``[rows, columns]``, the number of a shade, or a negative number for none.
        left: Where the first column begins.
        right: Where the last one ends.
        height: Of the axes, in inches.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    rows, columns = levels.shape
    axes.set_xlim(left, right)
    axes.set_ylim(-0.5, rows - 0.5)
    thickness = height * 72 / rows + 0.2  # in points; a little more, so that no paper shines through between rows
    edges = np.linspace(left, right, columns + 1)
    for level, name in enumerate(LEVELS):
        points: list[tuple[float, float]] = []
        for row in range(rows):
            points += [(edges[x], row) for span in _spans(levels[row] == level) for x in span]
        if points:
            codes = [Path.MOVETO, Path.LINETO] * (len(points) // 2)
            axes.add_artist(  # not `add_patch`, which would look for limits in thousands of points
                PathPatch(
                    Path(points, codes), fill=False, edgecolor=COLOURS[name], linewidth=thickness, capstyle="butt"
                )
            )


def _spans(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def level_marks(texts: Sequence[str]) -> list[Mark]:
    """A legend: one text for each of the shades that are used, from the lowest."""
    return [Mark("area", name, text) for name, text in zip(LEVELS, texts, strict=False)]
