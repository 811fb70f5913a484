"""What past gates found, one table a cell, with the steps marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stabbench import statistics
from stabbench.gate.history import Change, PastCell, PastGate
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.report.wrapping import wrapped
from stabbench.statistics import Sample

LEGEND = (
    "step: the level changed with this gate; a permutation test over all places of a step, p after Holm's correction "
    "over all series of the file. commit: + where files differed from it. runs: = where an earlier gate judged the "
    "same runs, which are no new evidence."
)
_COMMIT_DIGITS = 8


@dataclass(frozen=True)
class PrintedHistory:
    """Past gates; prints as `stabbench history` does.

    Attributes:
        gates: In the order of the file.
        changes: The steps of the cells.
        cells: The names of the cells that were asked about.
        alpha: The rate at which flat series show a step.
        notes: On lines of the file that are none.
    """

    gates: Sequence[PastGate]
    changes: Sequence[Change]
    cells: Sequence[str]
    alpha: float
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        parts = [table.text() for table in history_tables(self.gates, self.changes, self.cells)]
        return "\n\n".join([*parts, wrapped(LEGEND), steps_text(self.changes, self.gates, self.alpha)])


def history_tables(gates: Sequence[PastGate], changes: Sequence[Change], cells: Sequence[str]) -> list[Table]:
    """One row a gate for each of ``cells``."""
    tables = []
    for name in cells:
        seen: set[str] = set()
        rows: list[list[Entry]] = []
        for number, gate in enumerate(gates):
            for cell in gate.cells:
                if cell.name == name:
                    own = [change for change in changes if change.cell == name and change.gate == number]
                    rows.append([gate.date[:10], _commit(gate), *_numbers(cell, seen), cell.verdict, _steps(own)])
        columns = ["date", "commit", "runs", "failed", "mean ± std", "verdict", "step"]
        tables.append(Table(columns, rows, title=name))
    return tables


def steps_text(changes: Sequence[Change], gates: Sequence[PastGate], alpha: float) -> str:
    """Every step in a sentence."""
    if not changes:
        return f"no step at alpha {alpha:g}"
    lines = []
    for change in changes:
        gate = gates[change.gate]
        place = f"commit {_commit(gate)}" if gate.commit else gate.date
        lines.append(f"step: {change.cell}: {_sentence(change)} with {place}")
    return "\n".join(lines)


def _commit(gate: PastGate) -> str:
    if not gate.commit:
        return numbers.UNDEFINED
    return gate.commit[:_COMMIT_DIGITS] + ("+" if gate.changed else "")


def _numbers(cell: PastCell, seen: set[str]) -> list[Entry]:
    if not cell.scores:
        return [numbers.UNDEFINED] * 3
    again = "=" if cell.runs in seen else ""
    seen.add(cell.runs)
    s = statistics.summarise(Sample(tuple(cell.scores), tuple(cell.failed)))
    return [f"{numbers.count(s.planned)}{again}", numbers.count(s.failed), numbers.mean_and_std(s.mean, s.std)]


def _steps(changes: Sequence[Change]) -> str:
    return "; ".join(map(_sentence, changes))


def _sentence(change: Change) -> str:
    step = change.step
    if change.what == "failed runs":
        before, after = numbers.score(step.before, 2), numbers.score(step.after, 2)
    else:
        before, after = numbers.score(step.before, 4), numbers.score(step.after, 4)
    return f"{change.what} {before} → {after} ({numbers.p_equation(step.p)})"
