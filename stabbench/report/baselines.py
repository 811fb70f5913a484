"""Baselines as tables: the cells of a file, and how often the gate alarms falsely on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stabbench.gate.baselines import Baseline, Loosening
from stabbench.gate.calibration import Rates
from stabbench.gate.rules import Rules, Verdict
from stabbench.records.recipe_runs import cut_to
from stabbench.records.setting import model_name
from stabbench.report import numbers
from stabbench.report.table import Entry, Table
from stabbench.statistics import Sample, summarise


class PrintedBaselines(tuple[Baseline, ...]):
    """Baselines that print as the table of `stabbench baseline show`."""

    def __str__(self) -> str:
        return cells_table(self).text()


@dataclass(frozen=True)
class FalseAlarms:
    """How often the gate alarms falsely on baselines; prints as `stabbench baseline verify` does.

    Attributes:
        file: The baselines file.
        rates: The counts of all verdicts of one half of a cell's runs against the other.
        rules: By which they were given.
        banks: The runs of each cell.
    """

    file: str
    rates: Rates
    rules: Rules
    banks: Mapping[str, Sample]

    @property
    def rate(self) -> float:
        """The share of the splits in which the whole gate alarmed."""
        return self.rates.rate(Verdict.FAIL)

    @property
    def too_often(self) -> bool:
        """Whether that is above alpha by more than chance explains."""
        return self.rates.alarms_too_often(self.rules.alpha)

    def __str__(self) -> str:
        alarms = f"{numbers.score(self.rate)} of {self.rates.trials} splits (alpha {self.rules.alpha:g})"
        table = false_alarms_table(self.rates, self.banks).text()
        return f"{table}\n\n{self.file} is whole. False alarms of the whole gate: {alarms}."


def cells_table(cells: Sequence[Baseline]) -> Table:
    """One row a cell: its runs, their scores, when they were recorded and on what device."""
    any_cut = any(cut_to(cell.experiment) is not None for cell in cells)
    rows: list[list[Entry]] = []
    for cell in cells:
        s, steps = summarise(cell.sample), cut_to(cell.experiment)
        scores = [numbers.count(s.planned), numbers.count(s.failed), numbers.mean_and_std(s.mean, s.std)]
        device = str(cell.environment.get("device_name", numbers.UNDEFINED))
        cut: Entry = numbers.UNDEFINED if steps is None else numbers.counted(steps, "step")
        model = model_name(cell.task, cell.model)
        rows.append([cell.recipe, cell.task, model, *scores, cell.recorded, device, *([cut] if any_cut else [])])
    columns = ["recipe", "task", "model", "runs", "failed", "mean ± std", "recorded", "device"]
    return Table([*columns, *(["cut by --max-steps to"] if any_cut else [])], rows)


def false_alarms_table(rates: Rates, banks: Mapping[str, Sample]) -> Table:
    """One row a cell: how often each verdict was given when one half of its runs was judged against the other."""
    shown = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    rows: list[list[Entry]] = [
        [name, numbers.count(banks[name].planned), *(numbers.score(counts[v] / rates.trials) for v in shown)]
        for name, counts in rates.cells.items()
    ]
    return Table(["half against half", "runs", *shown], rows)


def loosening_text(note: Loosening) -> str:
    """When and why a baseline was loosened, and what it was before."""
    runs, failed, mean, std = (note.before.get(key) for key in ("runs", "failed", "mean", "std"))
    was = f"{numbers.count(runs)} runs, {numbers.count(failed)} failed, {numbers.mean_and_std(mean, std)}"
    return f"loosened {note.date}: {note.reason} (before: {was})"
