"""Training loss and score during the training, of failed and of successful runs.

As Mosbach et al. 2021, Fig. 2c, 8a and 14.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stabbench.records.history import History
from stabbench.records.run import Outcome
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views.computed import described, over_runs, padded, window_means, window_of
from stabbench.studies.views.panels import CONSTANT, head, legend, place_columns, places

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ((Outcome.FAILED, "failed", "tab:red"), (Outcome.OK, "successful", "tab:blue"))


class Runs(NamedTuple):
    """The runs of a row that ended alike.

    Attributes:
        word: How they ended.
        colour: Theirs.
        number: How many they are.
        histories: What is kept of them.
    """

    word: str
    colour: str
    number: int
    histories: Sequence[History]

    @property
    def losses(self) -> NDArray[np.float64]:
        """``[runs, steps]``."""
        return padded([history.losses for history in self.histories])

    @property
    def scores(self) -> NDArray[np.float64]:
        """``[runs, evaluations]``."""
        return padded([history.scores for history in self.histories])


def table(result: StudyResult) -> Table:
    """The loss when the training begins, half way and at its end, and the scores at its end, by outcome."""
    rows: list[list[Entry]] = []
    for row in result.rows:
        for runs in _by_outcome(result, row):
            losses = runs.losses
            window = window_of(losses)
            starts = (0, (losses.shape[1] - window) // 2, losses.shape[1] - window)
            means = [over_runs(losses[:, start : start + window].T).mean for start in starts]
            of_runs = [described(values) for values in (*means, runs.scores[:, -1])]
            constant = next((h.constant_loss for h in runs.histories if h.constant_loss is not None), None)
            rows.append([
                *places(result, row), runs.word, numbers.count(runs.number), numbers.score(constant),
                *(numbers.mean_and_std(each.mean, each.std) for each in of_runs),
            ])  # fmt: skip
    columns = ["runs", "number", "loss of constant", "loss at first", "half way", "at the end", "score at the end"]
    notes = ["Mean ± std over the runs of each kind. A loss is the mean of 1/50 of a training's steps."]
    for row in result.rows:
        for outcome, word, _ in KINDS:
            if not any(record.outcome is outcome for record in row.runs.records):
                notes.append(f"{', '.join(places(result, row))}: no {word} run among {len(row.runs.records)}.")
    return Table([*place_columns(result), *columns], rows, notes)


def draw(result: StudyResult, figure: Figure) -> None:
    """One row of panels a recipe: losses on the left, scores on the right."""
    head(result, figure, 7.6, 2.6 * len(result.rows) + 0.5)
    for row, (left, right) in zip(result.rows, figure.subplots(len(result.rows), 2, squeeze=False), strict=True):
        title = ", ".join(places(result, row) if len(result.rows) > 1 else [row.recipe, row.task])
        for axes, what in ((left, "training loss"), (right, row.metric)):
            axes.set_title(title, fontsize=8)
            axes.set_xlabel("step", fontsize=7)
            axes.set_ylabel(what, fontsize=7)
            axes.tick_params(labelsize=7)
            axes.set_xlim(0, max(1, row.steps))
        for runs in _by_outcome(result, row):
            steps, means = window_means(runs.losses)
            _band(left, steps, means, runs)
            if evaluated := max((history.evaluation_steps for history in runs.histories), key=len):
                _band(right, evaluated, runs.scores, runs)
            for constant in {h.constant_loss for h in runs.histories if h.constant_loss is not None}:
                left.axhline(constant, color="0.6", linestyle="--", linewidth=1, label=CONSTANT)
        left.set_ylim(bottom=0)
        right.axhline(row.constant_score, color="0.6", linestyle="--", linewidth=1, label=CONSTANT)
    legend(figure)


def _band(axes: Axes, steps: Sequence[float], values: NDArray[np.float64], runs: Runs) -> None:
    """Mean and standard deviation; a single run has no band."""
    found = over_runs(values)
    std = np.nan_to_num(found.std)
    axes.fill_between(steps, found.mean - std, found.mean + std, color=runs.colour, alpha=0.15, linewidth=0)
    marker = "o" if len(steps) == 1 else ""
    axes.plot(steps, found.mean, color=runs.colour, marker=marker, linewidth=1.3, label=f"{runs.word} runs, mean ± std")


def _by_outcome(result: StudyResult, row: Row) -> Iterator[Runs]:
    """The kinds of which there are runs."""
    ended = list(zip((record.outcome for record in row.runs.records), result.histories(row), strict=True))
    for outcome, word, colour in KINDS:
        if own := [history for of, history in ended if of is outcome]:
            yield Runs(word, colour, len(own), own)
