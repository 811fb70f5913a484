"""The verdict, and the effects with their intervals as a forest plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stabbench.gate.checks import Check
from stabbench.report import judgement as words
from stabbench.report.comparison import runs_table, tests_table
from stabbench.report.gate import stacked_tables
from stabbench.report.page.colours import COLOURS
from stabbench.report.page.document import Block, Mark, Picture, Section, Statement
from stabbench.report.page.subject import Judged, Subject
from stabbench.report.page.svg import as_svg, drawing, shown
from stabbench.report.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More rows than that are in the table only.
MOST_ROWS = 40
_TITLES = {
    "failed runs": "rate of failed runs, difference",
    "spread": "spread, ratio",
    "mean": "mean score, difference",
}
_BETTER = {"failed runs": "left", "spread": "left", "mean": "right"}
LEAD = (
    "Each row is a recipe against {against}: the estimated effect and its 95% interval. The grey line is no "
    "difference. The dashed line is the margin: a recipe passes if the bounds of all three effects, in the table "
    "below, are within their margins. A bound has the verdict's own level, and need not be the end of the interval."
)
ALONE = "There is one recipe and nothing to compare it with: no verdict."
UNKNOWN = "Nobody knows which runs failed, and a verdict asks for that first: give --constant-score."


def verdict_section(subject: Subject) -> Section:
    """Verdicts, forest plots, and the tables of the text."""
    statements = [Statement(j.verdict.value, f"{_pair(j)}: {j.reason}", j.remarks) for j in subject.judged]
    blocks = [Block(tables=[table]) for table in _tables(subject)]
    rows = [judged for judged in subject.judged if judged.judgement is not None]
    if not rows:
        why = UNKNOWN if not all(setting.failures_known for setting in subject.settings) else ALONE
        return Section("verdict", "Verdict", "" if subject.judged else why, blocks, statements)
    legend = [
        Mark("dot", "ink", "effect, 95% interval"),
        Mark("line", "muted", "no difference"),
        Mark("dashed", "failed", "margin"),
    ]
    pictures = [_forest(name, rows[:MOST_ROWS]) for name in _TITLES]
    left_out = [f"{len(rows) - MOST_ROWS} more are in the tables only."] if len(rows) > MOST_ROWS else []
    checks = [words.checks_table(j.judgement, _pair(j)) for j in rows if j.judgement is not None]
    family = max(j.judgement.family for j in rows if j.judgement is not None)
    rules = [] if subject.rules is None else [words.rules_line(subject.rules, family)]
    references = {judged.against for judged in rows}
    against = references.pop() if len(references) == 1 else "what the sentence above says"
    return Section(
        "verdict",
        "Verdict",
        LEAD.format(against=against),
        [
            Block(texts=left_out, legend=legend, pictures=pictures),
            *blocks,
            Block(heading="Every check", texts=rules, tables=checks),
        ],
        statements,
    )


def numbers_section(subject: Subject) -> Section:
    """The table of the runs, where nothing is judged."""
    return Section("numbers", "Numbers", "", [Block(tables=[table]) for table in _tables(subject)])


def _pair(judged: Judged) -> str:
    return f"{judged.label} against {judged.against}" if judged.against else judged.label


def _tables(subject: Subject) -> list[Table]:
    if subject.gate is not None:
        return stacked_tables(subject.gate)
    tables = []
    for setting in subject.settings:
        if setting.comparison is not None:
            runs = runs_table(setting.comparison)
            tables.append(Table(runs.columns, runs.rows, runs.notes, setting.name))
            if subject.rules is not None and setting.comparison.tests:
                tables.append(tests_table(setting.comparison))
    return tables


def _forest(name: str, rows: Sequence[Judged]) -> Picture:
    """One check of all rows. An open interval, or one of which nothing is known, says so."""
    from matplotlib.figure import Figure

    with drawing():
        height = 0.75 + 0.3 * len(rows)
        figure = Figure(figsize=(3.8, height))
        axes = figure.add_axes((0.36, 0.45 / height, 0.6, 0.3 * len(rows) / height))
        ratio = name == "spread"
        checks = [_check(judged, name) for judged in rows]
        neutral = 1.0 if ratio else 0.0
        low, high = _range(checks, neutral, ratio)
        titles: dict[str, Sequence[str]] = {}
        for place, (judged, check) in enumerate(zip(rows, checks, strict=True)):
            _row(axes, place, check, low, high)
            titles[f"row{place}"] = [f"{_pair(judged)}: {name} {words.effect_text(check)}"]
        axes.axvline(neutral, color=COLOURS["muted"], linewidth=0.8, zorder=0)
        for margin in {check.margin for check in checks}:
            axes.axvline(margin, color=COLOURS["failed"], linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        if ratio:
            axes.set_xscale("log")
            ticks = [t for t in (0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 100, 1000) if low <= t <= high]
            axes.set_xticks(ticks, [f"{t:g}×" for t in ticks])
            axes.minorticks_off()
        else:
            axes.locator_params(axis="x", nbins=5)
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [shown(judged.label, 22) for judged in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"better to the {_BETTER[name]}", fontsize=8)
        svg = as_svg(figure, f"forest-{name.replace(' ', '-')}", f"Forest plot: {_TITLES[name]}", titles)
    return Picture(_TITLES[name], svg)


def _check(judged: Judged, name: str) -> Check:
    assert judged.judgement is not None
    return next(check for check in judged.judgement.checks if check.name == name)


def _row(axes: Axes, place: int, check: Check, low: float, high: float) -> None:
    effect = check.effect
    if effect.estimate is None or effect.low is None or effect.high is None:
        axes.text(low, place, " not defined", va="center", fontsize=8, color=COLOURS["muted"], gid=f"row{place}")
        return
    left, right = max(low, effect.low), min(high, effect.high)
    axes.plot([left, right], [place, place], color=COLOURS["ink"], linewidth=1.2, solid_capstyle="butt")
    for open_end, at, shape in ((effect.low < low, low, "<"), (effect.high > high, high, ">")):
        if open_end:
            axes.plot([at], [place], shape, color=COLOURS["ink"], markersize=5, clip_on=False)
    inside = min(max(effect.estimate, low), high)
    axes.plot([inside], [place], "o", color=COLOURS["ink"], markersize=5.5, gid=f"row{place}", clip_on=False)


def _range(checks: Sequence[Check], neutral: float, ratio: bool) -> tuple[float, float]:
    """What is drawn: every estimate and finite bound, the margins and no difference."""
    values = [neutral, *(check.margin for check in checks)]
    for check in checks:
        values += [v for v in (check.effect.estimate, check.effect.low, check.effect.high) if v is not None]
    finite = [value for value in values if math.isfinite(value) and not (ratio and value <= 0)]
    if ratio:
        low, high = max(min(finite), 1e-3) / 1.3, min(max(finite), 1e3) * 1.3
        return low, high
    room = 0.06 * (max(finite) - min(finite))
    return min(finite) - room, max(finite) + room
