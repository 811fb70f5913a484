"""Gradient norms by component and step, of a failed and of a successful run.

As Mosbach et al. 2021, Fig. 4 and 10 to 12, and Yang and Ma 2022, Fig. 3.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stabbench.records.history import Components
from stabbench.records.run import Outcome
from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.studies.result import StudyResult
from stabbench.studies.views.panels import head, legend, place_columns, places
from stabbench.studies.views.probed import (
    Probed,
    blocks_of,
    component_in,
    parts_of,
    probed,
    shown_of,
    some_blocks,
    unprobed,
    weights_of_blocks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blocks that are drawn, the lowest and the top one among them; and kinds of weight matrices, each with a panel.
BLOCKS, KINDS_DRAWN = 5, 8
OUTCOMES = ((Outcome.FAILED, "failed"), (Outcome.OK, "successful"))


def table(result: StudyResult) -> Table:
    """Of a failed and of a successful run the norms of some parts, when it begins, half way and at its end."""
    panels = _panels(result)
    every = [run for found in panels.values() for run in found]
    shown = _shown(every[0].components) if every else []
    rows: list[list[Entry]] = []
    notes = [
        "L2 norms of gradients before clipping, of the failed run with the lowest seed and of the best successful run."
    ]
    for title, found in panels.items():
        for outcome, word in OUTCOMES:
            run = shown_of(found, outcome)
            if run is None:
                notes.append(f"{title}: no {word} run among {len(found)}.")
            else:
                rows += _rows(result, run, word, shown)
        notes += _of_all(title, found)
    return Table([*place_columns(result), "run", "seed", "step", *shown], rows, [*notes, *unprobed(result)])


def draw(result: StudyResult, figure: Figure) -> None:
    """One row of panels for each failed and each successful run, one panel for each kind of weight matrix."""
    lines = [(title, word, shown_of(found, outcome)) for title, found in _panels(result).items()
             for outcome, word in OUTCOMES]  # fmt: skip
    kinds = list(dict.fromkeys(kind for *_, run in lines if run for kind in weights_of_blocks(run.components)))
    kinds = kinds[:KINDS_DRAWN] or [""]
    head(result, figure, max(4.2, 2.4 * len(kinds)), 2.1 * len(lines) + 0.6)
    grid = figure.subplots(len(lines), len(kinds), sharey=True, squeeze=False)
    for across, (title, word, run) in zip(grid, lines, strict=True):
        named = word if run is None else f"{word}: {run.row.recipe}, seed {run.record.seeds.seed}"
        for axes, kind in zip(across, kinds, strict=True):
            axes.set_title(f"{title}, {named}\n{kind}", fontsize=6)
            axes.tick_params(labelsize=6)
            if run is None:
                axes.text(0.5, 0.5, "there is none", transform=axes.transAxes, ha="center", va="center", fontsize=7)
            else:
                _draw(axes, run, kind)
        across[0].set_ylabel("gradient norm", fontsize=7)
    if any(axes.lines for axes in figure.axes):
        legend(figure)


def _draw(axes: Axes, run: Probed, kind: str) -> None:
    from matplotlib import colormaps

    shown = _shown(run.components)
    depth = sum(part.startswith("block ") for part in shown)
    for number, part in enumerate(shown):
        place = component_in(run.components, part, kind)
        if place is not None:
            norms = run.components.gradient_norms[:, place]
            within = colormaps["viridis"](0.92 * number / max(1, depth - 1))
            axes.plot(
                run.steps,
                np.where(norms > 0, norms, np.nan),
                color={"pooler": "tab:brown", "head": "black"}.get(part, within),
                linestyle="-" if part.startswith("block ") else "--",
                linewidth=1.1,
                label=part,
            )
    axes.set_yscale("log", nonpositive="mask")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel("step", fontsize=6)


def _panels(result: StudyResult) -> dict[str, list[Probed]]:
    """The runs of each panel by its title."""
    return {title: [run for row in rows for run in probed(result, row)] for title, rows in result.panels().items()}


def _shown(components: Components) -> list[str]:
    """Some blocks, from the lowest to the top one, and what is above them."""
    blocks = list(dict.fromkeys([*blocks_of(components)[:1], *some_blocks(components, BLOCKS - 1)]))
    return [*blocks, *(part for part in parts_of(components) if part in ("pooler", "head"))]


def _rows(result: StudyResult, run: Probed, word: str, shown: Sequence[str]) -> Iterator[list[Entry]]:
    norms = {part: run.components.of_part(run.components.gradient_norms, part) for part in shown}
    for probe in dict.fromkeys((0, len(run.steps) // 2, len(run.steps) - 1)):
        cells = [_norm(norms[part][probe] if part in run.components.parts else np.nan) for part in shown]
        yield [*places(result, run.row), word, str(run.record.seeds.seed), numbers.count(run.steps[probe]), *cells]


def _of_all(title: str, found: Sequence[Probed]) -> list[str]:
    """What one pair of runs shows may be an accident: the same of all of them, in one number each."""
    said = []
    for outcome, word in OUTCOMES:
        own = [_lowest_over_head(run.components) for run in found if run.record.outcome is outcome]
        if known := [ratio for ratio in own if np.isfinite(ratio)]:
            said.append(f"{statistics.median(known):.2g} ({len(known)} {word})")
    what = "norm of the lowest block over that of the head, at the last probe, median over runs"
    return [f"{title}: {what}: {', '.join(said)}."] if said else []


def _lowest_over_head(components: Components) -> float:
    """At the last probe; NaN where it is not defined."""
    lowest = blocks_of(components)[:1]
    if not lowest or "head" not in components.parts:
        return np.nan
    low, top = (float(components.of_part(components.gradient_norms, part)[-1]) for part in (*lowest, "head"))
    return low / top if top > 0 else np.nan


def _norm(value: float) -> Entry:
    return Number(float(value), f"{value:.2g}") if np.isfinite(value) else numbers.UNDEFINED
