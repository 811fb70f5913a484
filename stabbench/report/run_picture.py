"""A picture of one run: its loss, the gradient norms of its parts, and how far they are from their start, by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stabbench.diagnostics.signs import Signs, as_curve
from stabbench.records.history import History
from stabbench.records.run import RunRecord
from stabbench.records.setting import cell_name
from stabbench.report import numbers
from stabbench.report.pictures import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Lines = Mapping[str, NDArray[np.floating]]


def plot_run(record: RunRecord, history: History, path: Path, cause: str = "") -> None:
    """Draw a run into a file whose suffix names the format (png, svg, pdf).

    Args:
        record: The run.
        history: What was kept of it; a panel of what was not kept says so.
        path: The file.
        cause: Why it failed, in words.

    Raises:
        StabbenchError: matplotlib is not installed, or the file cannot be written.
    """
    with picture(path) as figure:
        figure.set_size_inches(7.5, 8.5)
        figure.suptitle(_title(record, cause), fontsize=9)
        loss, norms, distances = figure.subplots(3, 1, sharex=True)
        _draw_loss(loss, Signs(record, history))
        by_part = {part: as_curve(values) for part, values in history.gradient_norms.items()}
        _draw_parts(norms, history.probe_steps, by_part, "gradient norm before clipping", "no gradient norms were kept")
        norms.set_yscale("log", nonpositive="mask")
        norms.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        components = history.components
        parts = {} if components is None else dict.fromkeys(components.parts)
        moved = {} if components is None else {p: components.of_part(components.distances, p) for p in parts}
        _draw_parts(distances, history.probe_steps, moved, "L2 distance to the start", "no distances were kept")
        distances.set_xlabel("step")
        distances.set_xlim(0, max(record.steps, 1))


def _title(record: RunRecord, cause: str) -> str:
    score = f"{record.metric} {numbers.score(record.score)}"
    if record.constant_score is not None:
        score += f", best constant predictor {numbers.score(record.constant_score)}"
    ended = f"{record.outcome}: {cause}" if cause else str(record.outcome)
    cell = cell_name(record.recipe, record.task, record.model)
    return f"{cell}, seed {record.seeds.seed} ({record.id})\n{score}, {ended}"


def _draw_loss(axes: Axes, signs: Signs) -> None:
    axes.set_ylabel("training loss")
    if not len(signs.losses):
        _say(axes, "no losses were kept")
        return
    steps = [signs.step(place) for place in range(len(signs.losses))]
    axes.plot(steps, signs.losses, color="0.75", linewidth=0.7)
    ends = steps[signs.window - 1 :] if len(steps) >= signs.window else steps
    axes.plot(ends, signs.smooth, color="tab:blue", linewidth=1.4, label=f"mean of {signs.window}")
    if signs.history.constant_loss is not None:
        axes.axhline(signs.history.constant_loss, color="0.4", linestyle="--", linewidth=1, label="constant predictor")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, loc="upper right")


def _draw_parts(axes: Axes, steps: Sequence[int], lines: Lines, what: str, nothing: str) -> None:
    from matplotlib import colormaps

    axes.set_ylabel(what)
    if not lines:
        _say(axes, nothing)
        return
    for number, (part, values) in enumerate(lines.items()):
        colour = colormaps["viridis"](number / max(1, len(lines) - 1) * 0.92)
        axes.plot(steps, values, color=colour, linewidth=1.2, marker=".", markersize=3, label=part)
    axes.legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, reverse=True)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.4")
