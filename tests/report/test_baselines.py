"""Baselines as tables, for cells of this project's own file."""

import dataclasses
from collections import Counter
from pathlib import Path

from stabbench.gate.baselines import Loosening
from stabbench.gate.baselines_file import load
from stabbench.gate.calibration import Rates
from stabbench.gate.rules import Verdict
from stabbench.report.baselines import cells_table, false_alarms_table, loosening_text

CELLS = load(Path(__file__).parents[2] / "baselines.json")
CELL = CELLS["mosbach on lab/entailment, lab"]


def test_one_row_a_cell() -> None:
    table = cells_table(list(CELLS.values()))
    assert table.columns == ["recipe", "task", "model", "runs", "failed", "mean ± std", "recorded", "device"]
    row = table.texts[list(CELLS).index(CELL.name)]
    assert row[:4] == ["mosbach", "lab/entailment", "lab", str(len(CELL.scores))]
    assert row[6] == CELL.recorded


def test_where_a_cell_was_cut_short_all_say_whether_they_were() -> None:
    cut = dataclasses.replace(CELL, experiment={**CELL.experiment, "max_steps": 1500})
    assert [row[-1] for row in cells_table([CELL, cut]).texts] == ["-", "1,500 steps"]


def test_rates_are_shares_of_the_trials() -> None:
    counts = Counter({Verdict.PASS: 30, Verdict.FAIL: 10})
    table = false_alarms_table(Rates(40, counts, {"a": counts}, 25.0), {"a": CELL.sample})
    assert table.columns == ["half against half", "runs", "FAIL", "INCONCLUSIVE", "PASS"]
    assert table.texts == [["a", str(CELL.sample.planned), "0.250", "0.000", "0.750"]]


def test_a_loosening_says_what_the_baseline_was() -> None:
    note = Loosening("2026-11-20", "new kernels", {"runs": 50, "failed": 1, "mean": 0.78441, "std": None})
    expected = "loosened 2026-11-20: new kernels (before: 50 runs, 1 failed, 0.784 ± -)"
    assert loosening_text(note) == expected
