"""Gradient norms by part of the model and step, failed runs against successful ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from stabbench.report import numbers
from stabbench.report.page.colours import LEVELS
from stabbench.report.page.document import Block, Mark, Picture, Section
from stabbench.report.page.maps import draw_map, level_marks
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.page.svg import as_svg, drawing, shown
from stabbench.report.page.traces import Floats, Trace

# More recipes than that are not drawn.
MOST_COLUMNS = 12
LEAD = (
    "The L2 norm of the gradient of each part of the model before clipping, from the embeddings below to the head "
    "above: the median over the runs, in steps along the training. All pictures of a task share their shades. Where "
    "the lower blocks of failed runs are far lighter than those of successful ones, their gradients vanish and "
    "nothing below the head can learn."
)


def gradients_section(subject: Subject) -> Section:
    """For each setting two pictures a recipe: its failed runs and its successful ones."""
    blocks = [
        block
        for number, (setting, heading) in enumerate(subject.headed_settings)
        if (block := _block(setting, number, heading)) is not None
    ]
    return Section("gradients", "Gradients", LEAD, blocks)


def _block(setting: Setting, number: int, heading: str) -> Block | None:
    found: list[tuple[Column, str, Floats]] = []
    for column in setting.columns[:MOST_COLUMNS]:
        for failed in (True, False):
            own = [] if column.traces is None else column.traces.of(failed=failed)
            if (norms := _median(own)) is not None:
                kind = "run" if not setting.failures_known else "failed run" if failed else "successful run"
                found.append((column, str(numbers.counted(len(own), kind)), norms))
    if not found:
        return None
    edges = _edges([norms for _, _, norms in found])
    pictures = [
        _picture(f"gradients-{number}-{place}", column, what, norms, edges)
        for place, (column, what, norms) in enumerate(found)
    ]
    return Block(heading, legend=_legend(edges), pictures=pictures)


def _median(traces: Sequence[Trace]) -> Floats | None:
    """``[parts, bins]`` of log10; None where nothing is kept."""
    shapes = {trace.norms.shape for trace in traces}
    if len(shapes) != 1 or 0 in next(iter(shapes)):
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN")
        found: Floats = np.nanmedian(np.array([trace.norms for trace in traces]), axis=0)
    # Few probes leave parts of the training without one.
    found = found[:, np.isfinite(found).any(0)]
    return found if found.size else None


def _edges(maps: Sequence[Floats]) -> Floats:
    """Between the levels, of equal width in log10."""
    values = np.concatenate([norms[np.isfinite(norms)] for norms in maps])
    low, high = np.quantile(values, [0.01, 0.99])
    return np.linspace(low, max(high, low + 1e-6), len(LEVELS) + 1)[1:-1]


def _legend(edges: Floats) -> list[Mark]:
    powers = [f"{10**edge:.1g}" for edge in edges]
    between = [f"to {power}" for power in powers[1:]]
    return level_marks([f"norm under {powers[0]}", *between, f"over {powers[-1]}"])


def _picture(name: str, column: Column, what: str, norms: Floats, edges: Floats) -> Picture:
    from matplotlib.figure import Figure

    assert column.traces is not None
    parts = column.traces.parts
    levels = np.where(np.isfinite(norms), np.digitize(norms, edges), -1)
    with drawing():
        height = 0.5 + 0.15 * len(parts)
        figure = Figure(figsize=(3.8, height))
        axes = figure.add_axes((0.24, 0.42 / height, 0.72, 0.15 * len(parts) / height))
        draw_map(axes, levels, 0, column.traces.steps, 0.15 * len(parts))
        axes.set_yticks(range(len(parts)), [shown(part, 16) for part in parts])
        axes.tick_params(labelsize=7, length=0)
        axes.set_xlabel("step", fontsize=8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.locator_params(axis="x", nbins=5)
        title = f"{shown(column.label, 30)}, {what}"
        svg = as_svg(figure, name, f"Gradient norms by part and step: {title}")
    return Picture(title, svg)
