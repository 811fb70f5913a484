"""What more runs would give: the expected best of n, and the effects that n seeds detect."""

from __future__ import annotations

from collections.abc import Sequence

from stabbench import statistics
from stabbench.report import numbers
from stabbench.report.page.colours import COLOURS, SERIES
from stabbench.report.page.document import Block, Mark, Picture, Section
from stabbench.report.page.subject import Column, Setting, Subject
from stabbench.report.page.svg import as_svg, drawing, shown
from stabbench.report.table import Entry, Table
from stabbench.statistics import Sample

#: Numbers of seeds in the table.
SEEDS = (5, 10, 20, 50, 100)
# A line each.
MOST_COLUMNS = len(SERIES)
# The most runs of which the best is drawn, and the most that are looked at: more change nothing that can be seen.
MOST_TRIES, MOST_RUNS = 50, 200
LEAD = (
    "The expected score of the best of n runs, if one takes the best by this very score: the mean over all subsets of "
    "that size. It flatters a recipe whose runs fail as often as not, and it is the score on the set that one chose "
    "by."
)
POWER = (
    "One-sided, at alpha {alpha:g} for one test; a verdict on several tests needs more. Against a reference like "
    "these runs: the smallest rise of the rate of failed runs, rise of the spread, and fall of the mean that are "
    "found with power .8. A dash: none is, however large."
)


def planning_section(subject: Subject) -> Section:
    """For each setting a picture, and a table about its first recipe or baseline."""
    alpha = 0.05 if subject.rules is None else subject.rules.alpha
    blocks = [
        _block(setting, number, heading, alpha)
        for number, (setting, heading) in enumerate(subject.headed_settings)
        if setting.columns
    ]
    return Section("planning", "More runs", LEAD, blocks)


def _block(setting: Setting, number: int, heading: str, alpha: float) -> Block:
    drawn = [column for column in setting.columns if len(column.sample.finite) > 1][:MOST_COLUMNS]
    legend = [Mark("line", colour, shown(column.label, 40)) for column, colour in zip(drawn, SERIES, strict=False)]
    more = sum(len(column.sample.finite) > 1 for column in setting.columns) - len(drawn)
    texts = [f"{more} more recipes are not drawn."] if more else []
    pictures = [_picture(setting, number, drawn)] if drawn else []
    tables = [_table(setting, alpha)] if setting.failures_known else []
    return Block(heading, texts, legend, pictures, tables)


def _picture(setting: Setting, number: int, columns: Sequence[Column]) -> Picture:
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(4.4, 2.6))
        axes = figure.add_axes((0.14, 0.17, 0.83, 0.79))
        for column, colour in zip(columns, SERIES, strict=False):
            scores = sorted(column.sample.finite)[:: -(-len(column.sample.finite) // MOST_RUNS)]
            tries = range(1, min(len(scores), MOST_TRIES) + 1)
            best = [statistics.expected_best(scores, n) for n in tries]
            axes.plot(tries, best, "o-", color=COLOURS[colour], markersize=2.5, linewidth=1.2)
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("n, the number of runs", fontsize=8)
        axes.set_ylabel(shown(setting.metric), fontsize=8)
        axes.tick_params(labelsize=8)
        svg = as_svg(figure, f"best-{number}", f"Expected best of n runs: {setting.name}")
    return Picture("expected best of n runs", svg)


def _table(setting: Setting, alpha: float) -> Table:
    """The smallest detectable effects by the number of seeds."""
    # A gate's baselines stand below their candidates.
    reference = next((c for c in setting.columns if c.runs is None), setting.columns[0])
    sample = _thinned(reference.sample)
    base = sample.failures / sample.planned
    rows: list[list[Entry]] = []
    for n in SEEDS:
        rate = statistics.detectable_rate(n, sample.failures, sample.planned, alpha)
        drop = statistics.detectable_drop(n, sample.finite, alpha)
        rows.append(
            [
                numbers.count(n),
                numbers.change(None if rate is None else max(0.0, rate - base), 2),
                numbers.ratio(statistics.detectable_spread(n, sample.finite, alpha)),
                numbers.change(None if drop is None else -drop, 4),
            ]
        )
    title = f"Smallest detectable effect against {reference.label} ({numbers.counted(reference.sample.planned, 'run')})"
    columns = ["seeds", "failed runs", "spread", "mean"]
    return Table(columns, rows, [POWER.format(alpha=alpha)], title)


def _thinned(sample: Sample) -> Sample:
    """Exact tests of thousands of runs take minutes."""
    every = -(-sample.planned // MOST_RUNS)
    order = sorted(range(sample.planned), key=lambda i: (sample.failed[i], sample.scores[i] or 0.0))[::every]
    return Sample([sample.scores[i] for i in order], [sample.failed[i] for i in order])
