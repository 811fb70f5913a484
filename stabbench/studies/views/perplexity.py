"""How failed and successful encoders predict masked words, by the blocks put back (as Mosbach et al. 2021, Fig. 2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stabbench.records.run import Outcome, RunRecord
from stabbench.report import numbers
from stabbench.report.numbers import Number
from stabbench.report.table import Entry, Table
from stabbench.studies.result import StudyResult
from stabbench.studies.views.panels import FAILED, legend, side_by_side
from stabbench.studies.with_weights import MaskedWords

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The most columns of blocks in a table.
COLUMNS = 13
MARKERS = "osD^v<>"


def table(result: StudyResult) -> Table:
    """One row a run, one column a number of blocks; of many every second, third, … and the last."""
    found = _of(result)
    deepest = max((len(values) for each in found for values in each.put_back), default=1)
    every = -(-deepest // COLUMNS)
    shown = list(dict.fromkeys([*range(0, deepest, every), deepest - 1]))
    rows: list[list[Entry]] = []
    notes: list[str] = []
    for each in found:
        title = ", ".join(filter(None, each.place))
        for record, values in zip(each.runs, each.put_back, strict=True):
            cells = [_written(values[k] if k < len(values) else None) for k in shown]
            rows.append([title, record.recipe, str(record.seeds.seed), _word(record), *cells])
        for outcome, word in ((Outcome.FAILED, "failed"), (Outcome.OK, "successful")):
            if not any(record.outcome is outcome for record in each.runs):
                notes.append(f"{title}: no {word} run.")
        notes.append(f"{title}: perplexity of the pretrained model {_written(each.pretrained)}, on {each.texts} texts.")
    legend = (
        "Perplexity of masked words with the top k blocks put back to their pretrained values; embeddings stay as "
        "trained, and the masked-language-model head is the pretrained one."
    )
    return Table(["on", "recipe", "seed", "run", *(f"k = {k}" for k in shown)], rows, [legend, *notes])


def draw(result: StudyResult, figure: Figure) -> None:
    """One panel a task and model, one line a run."""
    found = _of(result)
    titles = [", ".join(filter(None, each.place)) for each in found]
    for each, axes in zip(found, side_by_side(result, figure, titles, 4.6), strict=True):
        for number, (record, values) in enumerate(zip(each.runs, each.put_back, strict=True)):
            failed = record.outcome is Outcome.FAILED
            axes.plot(
                range(len(values)),
                [math.nan if value is None else value for value in values],
                marker=MARKERS[number % len(MARKERS)],
                markersize=3.5,
                linewidth=1.2,
                color="tab:red" if failed else "tab:blue",
                label=FAILED if failed else "successful run",
            )
        if each.pretrained is not None:
            axes.axhline(each.pretrained, color="0.4", linestyle=":", linewidth=1, label="pretrained model")
        if not each.runs:
            axes.text(0.5, 0.5, "there is no run", transform=axes.transAxes, ha="center", va="center", fontsize=8)
            continue
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_xlabel("top blocks put back to pretrained", fontsize=7)
        axes.set_ylabel("perplexity of masked words", fontsize=7)
    if any(axes.lines for axes in figure.axes):
        legend(figure)


def _of(result: StudyResult) -> list[MaskedWords]:
    return [each for each in result.measured if isinstance(each, MaskedWords)]


def _word(record: RunRecord) -> str:
    return "failed" if record.outcome is Outcome.FAILED else "successful"


def _written(value: float | None) -> Entry:
    return numbers.UNDEFINED if value is None else Number(value, f"{value:,.3g}" if value < 1000 else f"{value:,.0f}")
