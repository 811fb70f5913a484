"""What the spread is made of, as a table and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from stabbench.diagnostics.spread import Spread
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.statistics import Effect, PairedTest

PARTS_LEGEND = (
    "Standard deviations of accuracy over runs, with 95% intervals. models: of the models themselves, on endless "
    "examples; examples: what this evaluation set adds, which more examples cure and more seeds do not."
)
AGREEMENT_LEGEND = (
    "disagree: the share of examples on which two runs differ. kappa: Fleiss' agreement beyond chance. JSD: the "
    "Jensen-Shannon divergence of two runs, in bits. flipped: examples on which not all runs agree."
)
PAIRED_LEGEND = (
    "The difference of accuracy on the same examples, with a 95% interval over new seeds and new examples. p worse: "
    "one-sided, that the recipe's is lower than {reference}'s. these runs: two-sided, whether these very runs differ "
    "on new examples; other seeds may say the opposite, so it decides nothing about recipes."
)


def parts_table(spreads: Sequence[Spread]) -> Table:
    """One row a recipe: the parts of the spread of its accuracy."""
    rows: list[list[Entry]] = []
    for found in spreads:
        parts = found.parts
        total = numbers.score(None if parts is None else math.sqrt(parts.total), 4)
        both = (_std(None if parts is None else parts.models), _std(None if parts is None else parts.examples))
        rows.append([found.label, numbers.count(found.runs), total, *both])
    notes = [PARTS_LEGEND, *(f"{found.label}: {found.left_out}" for found in spreads if found.left_out)]
    return Table(["recipe", "runs", "std", "models [95%]", "examples [95%]"], rows, notes, "what the spread is made of")


def agreement_table(spreads: Sequence[Spread]) -> Table:
    """One row a recipe: what its runs agree on."""
    rows: list[list[Entry]] = [
        [
            found.label,
            numbers.score(found.disagreement),
            numbers.score(found.kappa),
            numbers.score(found.divergence),
            numbers.UNDEFINED if found.disagreement is None else f"{len(found.flips)}/{found.examples}",
        ]
        for found in spreads
    ]
    return Table(["recipe", "disagree", "kappa", "JSD", "flipped"], rows, [AGREEMENT_LEGEND])


def paired_table(tests: Mapping[str, PairedTest], reference: str) -> Table:
    """One row for each recipe that was compared with the first."""
    rows: list[list[Entry]] = [
        [
            label,
            numbers.Number(
                test.difference,
                f"{numbers.change(test.difference, 4)} [{numbers.change(test.low, 4)}, {numbers.change(test.high, 4)}]",
            ),
            numbers.p_value(test.p_worse),
            numbers.p_value(test.p_better),
            numbers.p_value(test.p_these_runs),
        ]
        for label, test in tests.items()
    ]
    notes = [PAIRED_LEGEND.format(reference=reference)]
    notes += [f"{label}: {test.note}" for label, test in tests.items() if test.note]
    columns = [f"paired against {reference}", "difference [95%]", "p worse", "p better", "these runs"]
    return Table(columns, rows, notes)


def _std(part: Effect | None) -> Entry:
    """A part of a variance as a standard deviation; an estimate below 0 is 0."""
    if part is None or part.estimate is None:
        return numbers.UNDEFINED
    estimate, low, high = (math.sqrt(max(0.0, value or 0.0)) for value in (part.estimate, part.low, part.high))
    return numbers.Number(estimate, f"{estimate:.4f} [{low:.4f}, {high:.4f}]")
