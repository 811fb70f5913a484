"""How the runs went: training loss of every run, and its scores during training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stabbench.report import numbers
from stabbench.report.page.colours import COLOURS
from stabbench.report.page.document import Block, Mark, Picture, Section
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.page.svg import as_svg, drawing, shown
from stabbench.report.page.traces import MOST_READ, Floats, Trace, Traces

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More recipes than that are not drawn.
MOST_COLUMNS = 24
# Of more runs only a band is drawn.
MOST_LINES = 60
LEAD = (
    "The training loss of every run, each point the mean over a part of its training. The thick line is the median of "
    "the successful runs, its band holds the middle half of them. A loss that stays at that of the best constant "
    "predictor is one of nothing learnt."
)
NOTHING = "No history is kept of these runs, so that no curve can be drawn."
#: From a run to what is drawn of it: steps and values.
Curve = Callable[[Traces, Trace], tuple[Floats, Floats]]


def curves_section(subject: Subject) -> Section:
    """For each setting one picture a recipe, and another where the runs were scored during training."""
    blocks = [
        _block(setting, number, heading)
        for number, (setting, heading) in enumerate(subject.headed_settings)
        if setting.recipes
    ]
    return Section("curves", "Training", LEAD, blocks)


def _block(setting: Setting, number: int, heading: str) -> Block:
    columns = [column for column in setting.columns if column.traces is not None and column.traces.runs][:MOST_COLUMNS]
    texts = _left_out(setting, len(columns))
    if not columns:
        return Block(heading, texts)
    scored = any(len(t.evaluation_steps) > 1 for column in columns if column.traces for t in column.traces.runs)
    constants = [column.traces.constant_loss for column in columns if column.traces]
    constants += [setting.constant_score] if scored else []
    drawn = any(constant is not None for constant in constants)
    known = setting.failures_known
    legend = [
        Mark("line", "ok", f"{'successful ' if known else ''}run, or their median"),
        *([Mark("line", "failed", "failed run")] if known else []),
        *([Mark("dashed", "muted", "best constant predictor")] if drawn else []),
    ]
    losses = _pictures(f"losses-{number}", columns, "training loss", _losses, None)
    score = f"{shown(setting.metric)} during training"
    scores = _pictures(f"curve-{number}", columns, score, _scores, setting) if scored else []
    return Block(heading, texts, legend, [*losses, *scores])


def _pictures(name: str, columns: Sequence[Column], what: str, curve: Curve, scored: Setting | None) -> list[Picture]:
    """One a recipe, all from the same lowest to the same highest value."""
    limits = _limits(
        [curve(column.traces, trace)[1] for column in columns if column.traces for trace in column.traces.runs]
    )
    made = []
    for place, column in enumerate(columns):
        assert column.traces is not None
        constant = column.traces.constant_loss if scored is None else scored.constant_score
        low, high = limits if scored is not None else (0.0, limits[1])
        title = f"{shown(column.label, 40)}: {what}"
        made.append(_picture(f"{name}-{place}", title, column, curve, constant, (low, high)))
    return made


def _losses(traces: Traces, trace: Trace) -> tuple[Floats, Floats]:
    return traces.loss_steps, trace.losses


def _scores(_: Traces, trace: Trace) -> tuple[Floats, Floats]:
    return np.asarray(trace.evaluation_steps, float), trace.scores[: len(trace.evaluation_steps)]


def _left_out(setting: Setting, drawn: int) -> list[str]:
    """What is not in the pictures, and how to have it."""
    with_runs = [column for column in setting.columns if column.traces is not None]
    lacking = sum(column.traces.lacking for column in with_runs if column.traces)
    kept = sum(bool(column.traces and column.traces.runs) for column in with_runs)
    texts = []
    if lacking:
        texts.append(
            f"{numbers.counted(lacking, 'run')} left no history, and {'is' if lacking == 1 else 'are'} not drawn: "
            "measured elsewhere, training code that records nothing, or no longer in the store. The same recipes under "
            "stabbench compare --fresh have one."
        )
    if any(column.traces and column.traces.unread for column in with_runs):
        texts.append(
            f"Curves, gradient norms and examples are those of the first {MOST_READ} failed runs and the first "
            f"{MOST_READ} others of each recipe."
        )
    if kept > drawn:
        texts.append(f"{kept - drawn} more recipes are not drawn.")
    return texts


def _limits(curves: Sequence[Floats]) -> tuple[float, float]:
    """One run that diverges does not flatten the others: it leaves the picture."""
    values = np.concatenate([values[np.isfinite(values)] for values in curves])
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(min(values.max(), 1.6 * np.quantile(values, 0.98)))
    room = 0.05 * max(high - low, 1e-3)
    return low - room, high + room


def _picture(
    name: str, title: str, column: Column, curve: Curve, constant: float | None, limits: tuple[float, float]
) -> Picture:
    from matplotlib.figure import Figure

    assert column.traces is not None
    titles: dict[str, Sequence[str]] = {}
    with drawing():
        figure = Figure(figsize=(3.8, 2.5))
        axes = figure.add_axes((0.13, 0.17, 0.84, 0.78))
        many = len(column.traces.runs) > MOST_LINES
        for failed, colour in ((False, "ok"), (True, "failed")):
            own = column.traces.of(failed=failed)
            if many or not failed:
                _band(axes, [curve(column.traces, trace) for trace in own], colour)
            if not many:
                for place, trace in enumerate(own):
                    x, y = curve(column.traces, trace)
                    gid = f"{colour}{place}"
                    axes.plot(
                        x, y, color=COLOURS[colour], linewidth=0.9 if failed else 0.6,
                        alpha=0.8 if failed else 0.4, gid=gid,
                    )  # fmt: skip
                    titles[gid] = [_tooltip(column, trace)]
        if constant is not None:
            axes.axhline(constant, color=COLOURS["muted"], linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
        axes.set_ylim(*limits)
        axes.set_xlim(left=0)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        svg = as_svg(figure, name, f"{column.label}: {title}, one line a run", titles)
    return Picture(title, svg)


def _tooltip(column: Column, trace: Trace) -> str:
    ending = f", failed: {trace.record.reason}" if trace.failed else ""
    return f"{column.label}, seed {trace.record.seeds.seed}: {numbers.score(trace.record.score, 4)}{ending}"


def _band(axes: Axes, curves: Sequence[tuple[Floats, Floats]], colour: str) -> None:
    """Median and middle half, where the runs have the same steps and some finite values."""
    if len(curves) < 2 or len({tuple(x) for x, _ in curves}) > 1:
        return
    values = np.array([y for _, y in curves])
    known = np.isfinite(values).any(0)
    if not known.any():
        return
    x = curves[0][0][known]
    low, median, high = np.nanquantile(values[:, known], [0.25, 0.5, 0.75], axis=0)
    axes.fill_between(x, low, high, color=COLOURS[colour], alpha=0.22, linewidth=0)
    axes.plot(x, median, color=COLOURS[colour], linewidth=1.8)
