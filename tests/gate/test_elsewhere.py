"""The gate and its baselines for results measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from stabbench.errors import StabbenchError
from stabbench.gate.baselines_file import load
from stabbench.gate.elsewhere import gate_elsewhere, record_elsewhere
from stabbench.gate.plans import plan_of
from stabbench.gate.rules import Rules, Verdict
from stabbench.imported.choice import Choice
from stabbench.imported.runs import read_all
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.report.gate import gate_text

SCORES = Path(__file__).parents[2] / "examples" / "scores.csv"


def runs(**choice: float | None) -> list[RecipeRuns]:
    return read_all([("", SCORES)], Choice(**{"constant_score": 0.5, **choice}))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "baselines.json"
    assert [cell.recipe for cell in record_elsewhere(runs(), path)] == ["devlin", "mosbach"]
    return path


def test_what_is_recorded_is_read_again(recorded: Path) -> None:
    cells = load(recorded)
    for own in runs():
        cell = cells[f"{own.label} (measured elsewhere)"]
        assert cell.measured_elsewhere
        assert cell.sample == own.sample
        assert len(cell.recorded) == len("2026-11-27"), "the day of the record, where no tool says one"
    with pytest.raises(StabbenchError, match="already"):
        record_elsewhere(runs(), recorded)


def test_the_same_scores_pass_and_worse_ones_fail(recorded: Path) -> None:
    devlin, mosbach = runs()
    same = gate_elsewhere(recorded, [mosbach], Rules())
    assert same.verdict is Verdict.PASS
    assert same.cells[0].reused_seeds == 25
    assert f"measured elsewhere: mosbach from {SCORES}" in gate_text(same)
    (worse,) = read_all([("mosbach", _renamed(recorded.parent, "devlin"))], Choice(constant_score=0.5))
    assert gate_elsewhere(recorded, [worse], Rules()).verdict is Verdict.FAIL
    both = gate_elsewhere(recorded, [worse, devlin], Rules())
    assert both.cells[0].verdict is both.verdict is Verdict.FAIL
    assert both.cells[1].verdict is not Verdict.FAIL


def _renamed(folder: Path, recipe: str) -> Path:
    lines = [line.partition(",")[2] for line in SCORES.read_text().splitlines() if line.startswith(recipe)]
    (folder / "other.csv").write_text("seed,accuracy\n" + "\n".join(lines) + "\n")
    return folder / "other.csv"


def test_another_constant_score_is_not_comparable(recorded: Path) -> None:
    result = gate_elsewhere(recorded, runs(constant_score=0.4), Rules())
    assert result.verdict is Verdict.INCOMPARABLE
    assert result.cells[0].differences.refused == ("constant_score: 0.5 → 0.4",)


def test_a_crashed_run_is_an_error_of_its_cell(recorded: Path) -> None:
    path = recorded.parent / "crashed.csv"
    path.write_text("seed,accuracy,outcome\n0,0.75,ok\n1,,missing\n")
    crashed = read_all([("mosbach", path)], Choice(constant_score=0.5))
    result = gate_elsewhere(recorded, crashed, Rules())
    assert result.verdict is Verdict.ERROR
    assert "1 of 2 runs are missing" in result.cells[0].error
    with pytest.raises(StabbenchError, match="are missing"):
        record_elsewhere(crashed, recorded.parent / "new.json")
    assert not (recorded.parent / "new.json").exists()


def test_what_cannot_be_judged_or_trained(recorded: Path) -> None:
    (other,) = read_all([("mosbahc", _renamed(recorded.parent, "mosbach"))], Choice(constant_score=0.5))
    with pytest.raises(StabbenchError, match="did you mean 'mosbach'"):
        gate_elsewhere(recorded, [other], Rules())
    with pytest.raises(StabbenchError, match="nobody knows which runs of devlin failed"):
        gate_elsewhere(recorded, runs(constant_score=None), Rules())
    with pytest.raises(StabbenchError, match=r"measured elsewhere[^$]*gate --from mosbach=PATH"):
        plan_of(load(recorded)["mosbach (measured elsewhere)"], [0], None)
