"""The scores of all runs: a box and every run's point, one row a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stabbench.report import numbers
from stabbench.report.page.colours import COLOURS
from stabbench.report.page.document import Block, Mark, Picture, Section
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.page.svg import as_svg, drawing, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More recipes than that are in the tables only.
MOST_COLUMNS = 40
# With more runs points of nearly the same score are one larger point.
MOST_POINTS = 100
BINS = 60
LEAD = (
    "Every run's score at the end of its training. A box holds the middle half of a recipe's scores, failed runs "
    "included; its bar is the median, and its whiskers end at the last score within 1.5 times the box's length. "
    "Points are moved up and down only to be told apart."
)
MIXED = "A box of failed and successful runs together spans two kinds of runs, and says little on either."


def scores_section(subject: Subject) -> Section:
    """A picture for each setting."""
    blocks = []
    for place, (setting, heading) in enumerate(subject.headed_settings):
        columns = setting.columns[:MOST_COLUMNS]
        many = len(setting.columns) - len(columns)
        texts = [f"{many} more recipes are in the tables only."] if many else []
        texts += _lost(columns)
        if any(len(column.seeds) > MOST_POINTS for column in columns):
            texts.append("Runs of nearly the same score are one point: the larger it is, the more they are.")
        blocks.append(Block(heading, texts, _legend(setting), [_boxes(setting, columns, place)]))
    mixed = any(0 < runs.failed < len(runs.records) for runs in subject.recipes)
    return Section("scores", "Scores", f"{LEAD} {MIXED}" if mixed else LEAD, blocks)


def _legend(setting: Setting) -> list[Mark]:
    known = [Mark("ring", "failed", "failed run")] if setting.failures_known else []
    constant = Mark("dashed", "muted", f"best constant predictor, {numbers.score(setting.constant_score)}")
    name = "successful run" if known else "run, failed or not"
    return [Mark("dot", "ok", name), *known, *([constant] if setting.constant_score is not None else [])]


def _lost(columns: Sequence[Column]) -> list[str]:
    lost = sum(score is None for column in columns for score in column.sample.scores)
    return [f"{numbers.counted(lost, 'run')} without a finite score: not drawn, and counted as failed."] if lost else []


def _boxes(setting: Setting, columns: Sequence[Column], number: int) -> Picture:
    from matplotlib.figure import Figure

    with drawing():
        height = 0.55 + 0.7 * len(columns)
        figure = Figure(figsize=(6.2, height))
        axes = figure.add_axes((0.03, 0.42 / height, 0.94, 0.7 * len(columns) / height))
        titles: dict[str, Sequence[str]] = {}
        for place, column in enumerate(columns):
            failed = f", {column.sample.failures} failed" if setting.failures_known else ""
            axes.annotate(
                f"{shown(column.label, 40)}: {numbers.counted(column.sample.planned, 'run')}{failed}",
                (0, place - 0.4), (2, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", fontsize=8.5,
                bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 0.5},
            )  # fmt: skip
            _box(axes, place, column.sample.finite)
            titles |= _points(axes, place, column)
        if setting.constant_score is not None:
            axes.axvline(setting.constant_score, color=COLOURS["muted"], linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
        axes.set_ylim(len(columns) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(shown(setting.metric))
        label = f"{setting.metric} of every run, by recipe: {setting.name}"
        svg = as_svg(figure, f"scores-{number}", label, titles)
    return Picture("", svg)


def _box(axes: Axes, place: int, scores: Sequence[float]) -> None:
    if not scores:
        return
    line = {"color": COLOURS["muted"], "linewidth": 0.9}
    axes.boxplot(
        scores, positions=[place + 0.13], widths=0.4, orientation="horizontal", showfliers=False,
        boxprops=line, whiskerprops=line, capprops=line, medianprops={"color": COLOURS["ink"], "linewidth": 1.4},
        manage_ticks=False,
    )  # fmt: skip


def _points(axes: Axes, place: int, column: Column) -> dict[str, Sequence[str]]:
    """One a run, or one for runs of nearly the same score; their tooltips by the name of the artist."""
    titles: dict[str, Sequence[str]] = {}
    runs = list(zip(column.seeds, column.sample.scores, column.sample.failed, strict=True))
    for failed, colour in ((False, "ok"), (True, "failed")):
        own = [(seed, score) for seed, score, bad in runs if bad is failed and score is not None]
        if not own:
            continue
        x, sizes, texts = (_binned if len(runs) > MOST_POINTS else _each)(own)
        # Spread by the place of a run in the list, so that the picture is always the same.
        y = (
            place + 0.13 + 0.34 * (((np.arange(len(x)) * 7) % 11) / 10 - 0.5)
            if len(runs) <= MOST_POINTS
            else place + 0.13
        )
        face = "none" if failed else COLOURS[colour]
        name = f"runs{place}{colour}"
        axes.scatter(
            x, np.broadcast_to(y, len(x)), sizes, facecolors=face, edgecolors=COLOURS[colour], linewidths=1.1,
            alpha=None if failed else 0.75, gid=name, zorder=3, clip_on=False,
        )  # fmt: skip
        word = ", failed" if failed else ""
        titles[name] = [f"{column.label}, {text}{word}" for text in texts]
    return titles


def _each(runs: Sequence[tuple[int, float]]) -> tuple[list[float], list[float], list[str]]:
    texts = [f"seed {seed}: {numbers.score(score, 4)}" for seed, score in runs]
    return [score for _, score in runs], [22.0] * len(runs), texts


def _binned(runs: Sequence[tuple[int, float]]) -> tuple[list[float], list[float], list[str]]:
    """Scores in bins of equal width; a point's area grows with the number of its runs."""
    scores = np.array([score for _, score in runs])
    low, width = scores.min(), max(float(np.ptp(scores)) / BINS, 1e-9)
    counts = Counter(np.minimum(((scores - low) / width).astype(int), BINS - 1).tolist())
    bins = sorted(counts)
    x = [float(low + (b + 0.5) * width) for b in bins]
    most = max(counts.values())
    texts = [f"{numbers.counted(counts[b], 'run')} about {numbers.score(at, 4)}" for b, at in zip(bins, x, strict=True)]
    return x, [6.0 + 160.0 * counts[b] / most for b in bins], texts
