"""Shared parts of the views: panels side by side, colours, a legend, columns of a table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry
from stabbench.statistics import Summary
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.study import PANELS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most panels in a row of the picture, and its greatest width in inches.
ACROSS = 4
WIDEST = 14
PANEL_HEIGHT = 3.4
# No red, which is a failed run's, and no grey, which is the best constant predictor's.
PALETTE = ("tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:cyan", "tab:pink", "tab:olive",
           "black", "gold", "navy", "teal")  # fmt: skip
FAILED, CONSTANT = "failed run", "best constant predictor"


def axes_of(result: StudyResult, figure: Figure, width: float) -> Iterator[tuple[str, list[Row], Axes]]:
    """Each panel's title, rows and axes; the figure is made as large as they need.

    Args:
        result: The study's.
        figure: An empty one.
        width: Of a panel, in inches.
    """
    panels = result.panels()
    for (title, rows), axes in zip(panels.items(), side_by_side(result, figure, list(panels), width), strict=True):
        yield title, rows, axes


def side_by_side(result: StudyResult, figure: Figure, titles: Sequence[str], width: float) -> Iterator[Axes]:
    """Axes of that width under ``titles``; the figure is made as large as they need."""
    across = min(len(titles), ACROSS, max(1, int(WIDEST / width)))
    down = -(-len(titles) // across)
    head(result, figure, max(4.2, width * across), PANEL_HEIGHT * down + 0.5)
    for place, title in enumerate(titles, start=1):
        axes = figure.add_subplot(down, across, place)
        axes.set_title(title, fontsize=8)
        axes.tick_params(labelsize=7)
        yield axes


def head(result: StudyResult, figure: Figure, width: float, height: float) -> None:
    """Size in inches, and title."""
    figure.set_size_inches(width, height)
    figure.suptitle(textwrap.fill(result.study.title, int(11 * width)), fontsize=10)


def series(result: StudyResult, row: Row, without: str | None = None) -> str:
    """The label that distinguishes a row's line from the others of its panel.

    Args:
        result: The study's.
        row: One of its rows.
        without: A parameter that the line runs along.
    """
    hidden = (without, *result.study.panels)
    keys = result.differing(key for key in (*PANELS, *result.study.grid) if key not in hidden)
    shown = [f"{key}={row.place(key)}" if key in row.varied else str(row.place(key)) or "as it is" for key in keys]
    return " ".join([row.recipe, *shown] if len(result.study.recipes) > 1 or not shown else shown)


def colours(names: Sequence[str]) -> dict[str, str]:
    """One for each name, in order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(dict.fromkeys(names))}


def constant_line(axes: Axes, rows: Sequence[Row]) -> None:
    """The best constant predictor."""
    for score in {row.constant_score for row in rows}:
        axes.axhline(score, color="0.6", linestyle="--", linewidth=1, label=CONSTANT)


def cross(axes: Axes, x: float | None, y: float | None) -> None:
    """A failed run; on the right or the lower edge where its number is not finite."""
    known = x is not None, y is not None
    transform = {
        (True, True): axes.transData,
        (True, False): axes.get_xaxis_transform(),
        (False, True): axes.get_yaxis_transform(),
        (False, False): axes.transAxes,
    }[known]
    place = [1 if x is None else x], [0 if y is None else y]
    style: dict[str, Any] = {"color": "tab:red", "markersize": 5, "alpha": 0.75, "label": FAILED}
    axes.plot(*place, "x", transform=transform, clip_on=all(known), **style)


def logarithmic(axes: Axes) -> None:
    """A logarithmic horizontal axis, its numbers written out: matplotlib's powers are formulas, which are not read."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.xaxis.set_minor_formatter("")


def legend(figure: Figure) -> None:
    """One for all panels, below them; the figure is made higher by as much as it needs."""
    found: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    # Entries that every study's legend has come last.
    found = {label: found[label] for label in sorted(found, key=(FAILED, CONSTANT).__contains__)}
    width, height = figure.get_size_inches()
    columns = max(1, min(len(found), int(width / (0.6 + 0.06 * max(map(len, found))))))
    figure.set_size_inches(width, height + 0.1 + 0.16 * -(-len(found) // columns))
    figure.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=columns, fontsize=7, frameon=False
    )


def place_columns(result: StudyResult) -> list[str]:
    """Headings of the columns that identify a row: the panel keys that differ, and the parameters of the grid."""
    return [*result.differing(PANELS), "recipe", *result.study.grid]


def places(result: StudyResult, row: Row) -> list[str]:
    """The texts in the columns of :func:`place_columns`."""
    return [row.recipe if key == "recipe" else str(row.place(key)) or "as it is" for key in place_columns(result)]


def failures(row: Row) -> Number:
    """``3/25``."""
    return numbers.failed_of(row.summary.failed, row.summary.planned)


def described_cells(summary: Summary) -> list[Entry]:
    """Mean ± standard deviation, the lowest and the highest score."""
    return [
        numbers.mean_and_std(summary.mean, summary.std),
        numbers.score(summary.min),
        numbers.score(summary.max),
    ]


def metrics(rows: Sequence[Row]) -> str:
    """The names of the scores of a panel."""
    return ", ".join(dict.fromkeys(row.metric for row in rows))


def without(count: int, what: str, done: str) -> list[str]:
    """A note, ``"2 runs without a finite score: left out"``; none if there are no such runs."""
    return [f"{count} {'run' if count == 1 else 'runs'} without a finite {what}: {done}."] if count else []
