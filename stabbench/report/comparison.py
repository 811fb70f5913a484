"""A comparison as text: a table of the runs, and a table of the tests against the first recipe."""

from __future__ import annotations

from stabbench.gate.comparison import Comparison, PairTests
from stabbench.records.provenance import cut_short, provenance
from stabbench.records.setting import setting_name
from stabbench.report import numbers
from stabbench.report.diagnosis import failures_lines
from stabbench.report.table import Entry, Table
from stabbench.report.wrapping import wrapped

LEGEND = (
    "p worse: one-sided, that the recipe has more failed runs, a wider spread or a lower mean than {reference}. "
    "p better: the reverse. Levene's test for equal spread is two-sided, with deviations from the mean or the median."
)

#: In the place of the number of failed runs, where nothing says which failed, and of the constant predictor's score.
UNKNOWN = "unknown"


class PrintedComparison(Comparison):
    """A comparison that prints as its tables: what :func:`stabbench.compare` returns."""

    def __str__(self) -> str:
        return comparison_text(self)


def comparison_text(comparison: Comparison) -> str:
    """What was compared, and both tables."""
    known = comparison.constant_score
    head = [
        f"{setting_name(comparison.task, comparison.model)}: {comparison.metric}, "
        f"best constant predictor {UNKNOWN if known is None else numbers.score(known)}",
        cut_short(comparison.recipes),
        provenance(comparison.recipes),
    ]
    tests = tests_table(comparison).text() if comparison.tests else ""
    causes = "\n".join(wrapped(line, "", "  ") for line in failures_lines(comparison.recipes))
    return "\n\n".join(filter(None, ["\n".join(filter(None, head)), runs_table(comparison).text(), causes, tests]))


def runs_table(comparison: Comparison) -> Table:
    """One row a recipe: its runs, how many failed, and their scores."""
    rows: list[list[Entry]] = []
    for runs in comparison.recipes:
        s = runs.summary
        failed = numbers.count(s.failed) if runs.failures_known else UNKNOWN
        scores = [numbers.mean_and_std(s.mean, s.std), numbers.score(s.min), numbers.score(s.max)]
        rows.append([runs.label, numbers.count(s.planned), failed, *scores])
    return Table(["recipe", "runs", "failed", "mean ± std", "min", "max"], rows)


def tests_table(comparison: Comparison) -> Table:
    """One row for each test of each recipe against the first."""
    reference = comparison.recipes[0].label
    rows = [row for tests in comparison.tests for row in _rows(tests)]
    notes = [f"{tests.candidate}: {note}" for tests in comparison.tests for note in _notes(tests)]
    columns = [f"against {reference}", "compared", "test", "p worse", "p better", "p two-sided"]
    return Table(columns, rows, [LEGEND.format(reference=reference), *notes])


def _rows(tests: PairTests) -> list[list[Entry]]:
    rows: list[list[Entry]] = []
    for what, test in (("failed runs", tests.failures), ("spread", tests.spread), ("mean", tests.mean)):
        p_values = numbers.p_value(test.p_worse), numbers.p_value(test.p_better)
        rows.append([tests.candidate, what, test.method, *p_values, ""])
    for name, two_sided in (("Levene, mean", tests.levene_mean), ("Levene, median", tests.levene_median)):
        rows.append([tests.candidate, "spread", name, "", "", numbers.p_value(two_sided.p)])
    return rows


def _notes(tests: PairTests) -> list[str]:
    """What is special about a test, once each."""
    noted = (
        ("spread", tests.levene_mean.note),
        ("spread", tests.levene_median.note),
        ("spread", tests.spread.note),
        ("failed runs", tests.failures.note),
        ("mean", tests.mean.note),
    )
    return list(dict.fromkeys(f"{what}: {part}" for what, note in noted for part in note.split("; ") if part))
