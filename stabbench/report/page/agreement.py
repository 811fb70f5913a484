"""Which examples which runs get right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stabbench.report import numbers
from stabbench.report.page.colours import LEVELS
from stabbench.report.page.document import Block, Picture, Section
from stabbench.report.page.maps import draw_map, level_marks
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.page.svg import as_svg, drawing, shown
from stabbench.report.page.traces import Floats, Trace

# More recipes than that are not drawn; more runs and examples share a cell.
MOST_COLUMNS, MOST_ROWS, MOST_CELLS = 12, 40, 120
LEAD = (
    "One row a run, the best on top; one column an example of the evaluation set, in the same order in all pictures: "
    "the one that most runs get wrong on the left. Dark is wrong. An example on which all runs agree is a column of "
    "one shade, whichever the seed; what changes from row to row is the seed's part."
)
SHARED = (
    "Where there are more runs or examples than fit, several share a cell, whose shade is the share of wrong "
    "predictions."
)
NOTHING = (
    "No predictions are kept of these runs, or nothing says which are right: older runs, results measured elsewhere, "
    "training code, a task of numbers, or runs with --detail brief. Of recipes, stabbench compare --fresh trains runs "
    "anew and keeps theirs."
)
CHANGED = "Runs on another evaluation set than the first recipe's are left out: {labels}."


def agreement_section(subject: Subject) -> Section:
    """For each setting one picture a recipe."""
    blocks = [
        _block(setting, number, heading)
        for number, (setting, heading) in enumerate(subject.headed_settings)
        if setting.recipes
    ]
    lead = f"{LEAD} {SHARED}" if any(block.pictures for block in blocks) else ""
    return Section("examples", "Examples", lead, blocks)


def _block(setting: Setting, number: int, heading: str) -> Block:
    kept = {place: _with_predictions(column) for place, column in enumerate(setting.columns[:MOST_COLUMNS])}
    kept = {place: traces for place, traces in kept.items() if traces}
    if not kept:
        return Block(heading, [NOTHING])
    first = next(iter(kept.values()))[0]
    same = {place: [t for t in traces if _set_of(t) == _set_of(first)] for place, traces in kept.items()}
    others = [setting.columns[place].label for place, traces in same.items() if len(traces) < len(kept[place])]
    texts = [CHANGED.format(labels=", ".join(others))] if others else []
    order = _order([trace for traces in same.values() for trace in traces])
    pictures = [
        _picture(f"examples-{number}-{place}", setting.columns[place], traces, order)
        for place, traces in same.items()
        if traces
    ]
    return Block(heading, texts, level_marks(["none wrong", *[""] * (len(LEVELS) - 2), "all wrong"]), pictures)


def _with_predictions(column: Column) -> list[Trace]:
    return [] if column.traces is None else [trace for trace in column.traces.runs if trace.right is not None]


def _set_of(trace: Trace) -> tuple[object, int]:
    """What identifies an evaluation set: the digest of the task's data, and the number of its examples."""
    assert trace.right is not None
    return trace.record.fingerprint.experiment.get("data"), len(trace.right)


def _wrong(traces: Sequence[Trace]) -> Floats:
    """``[runs, examples]``: 1 where wrong."""
    return np.array([~trace.right for trace in traces if trace.right is not None], float)


def _order(traces: Sequence[Trace]) -> np.ndarray:
    """The examples, those that most runs get wrong first."""
    return np.argsort(-_wrong(traces).mean(0), kind="stable")


def _picture(name: str, column: Column, traces: Sequence[Trace], order: np.ndarray) -> Picture:
    from matplotlib.figure import Figure

    ranked = sorted(traces, key=lambda trace: -np.inf if trace.record.score is None else trace.record.score)
    wrong = _wrong(ranked)[:, order]
    cells = _shares(_shares(wrong, MOST_ROWS).T, MOST_CELLS).T
    levels = np.round(cells * (len(LEVELS) - 1)).astype(int)
    with drawing():
        height = 0.55 + max(0.9, 0.07 * len(levels))
        figure = Figure(figsize=(3.8, height))
        axes = figure.add_axes((0.08, 0.42 / height, 0.9, 1 - 0.5 / height))
        draw_map(axes, levels, 0, wrong.shape[1], height - 0.5)
        axes.set_yticks([])
        axes.set_ylabel("runs, best on top", fontsize=8)
        axes.set_xlabel("examples, from hard to easy", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.locator_params(axis="x", nbins=5)
        title = f"{shown(column.label, 30)}: {numbers.counted(len(traces), 'run')}"
        svg = as_svg(figure, name, f"Which examples are predicted wrong: {title}")
    return Picture(title, svg)


def _shares(values: Floats, most: int) -> Floats:
    """Means of neighbouring rows, so that ``most`` are left."""
    if len(values) <= most:
        return values
    return np.array([part.mean(0) for part in np.array_split(values, most)])
