"""The comparison object: its table, its JSON, and what a failed run does to both."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from examples import record

from stabbench.comparison import Comparison, RecipeRuns
from stabbench.errors import StabbenchError
from stabbench.plot import plot_comparison
from stabbench.records import Outcome


def runs(label: str, scores: list[float | None]) -> RecipeRuns:
    return RecipeRuns(
        label,
        [
            replace(
                record(seed),
                recipe=label,
                score=score,
                final_loss=None if score is None else 0.3,
                outcome=Outcome.FAILED if score is None or score <= 0.5 else Outcome.OK,
            )
            for seed, score in enumerate(scores)
        ],
    )


@pytest.fixture
def comparison() -> Comparison:
    shaky = runs("devlin", [0.5, 0.71, None, 0.48, 0.75])
    steady = runs("mosbach", [0.80, 0.81, 0.79, 0.82, 0.80])
    return Comparison("lab/entailment", "lab", "accuracy", 0.5, [shaky, steady])


def test_the_json_has_the_documented_keys_and_no_nan(comparison: Comparison) -> None:
    data = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert set(data) >= {"schema", "task", "model", "recipes", "tests"}
    devlin = data["recipes"]["devlin"]
    assert devlin["planned"] == 5
    assert devlin["failed"] == 3
    assert devlin["scores"] == [0.5, 0.71, None, 0.48, 0.75]
    assert devlin["seeds"] == [0, 1, 2, 3, 4]
    assert devlin["final_losses"] == [0.3, 0.3, None, 0.3, 0.3]
    assert devlin["mean"] == pytest.approx(0.61)
    assert (devlin["min"], devlin["max"]) == (0.48, 0.75)
    assert devlin["seconds"] == pytest.approx(7.5)
    (test,) = data["tests"].values()
    assert test["failures"]["p_better"] < 0.1 < test["failures"]["p_worse"]


def test_the_table_has_every_column_and_both_directions(comparison: Comparison) -> None:
    text = str(comparison)
    for part in ("planned", "failed", "mean ± std", "min", "max", "against devlin", "worse / better"):
        assert part in text
    assert "0.804 ± 0.011" in text
    assert "Levene, mean" in text
    assert "Levene, median" in text
    assert "Boschloo" in text


def test_a_recipe_whose_every_run_lost_its_score_still_has_its_row() -> None:
    comparison = Comparison("t", "m", "accuracy", 0.5, [runs("a", [None] * 3), runs("b", [0.6, 0.7, 0.8])])
    assert "- ± -" in str(comparison)
    assert json.dumps(comparison.to_json(), allow_nan=False)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_picture_is_drawn(comparison: Comparison, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"box.{suffix}"
    plot_comparison(comparison, path)
    assert path.stat().st_size > 1000


def test_a_picture_of_an_unknown_kind_says_which_are_known(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(StabbenchError, match=r"\.png, \.svg or \.pdf"):
        plot_comparison(comparison, tmp_path / "box.abc")


def test_nothing_after_the_record_imports_torch() -> None:
    code = (
        "import sys, stabbench, stabbench.cli, stabbench.comparison, stabbench.statistics, stabbench.store\n"
        "from stabbench import Recipe, recipe_names\nrecipe_names()\n"
        "assert not {'torch', 'transformers', 'datasets', 'scipy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
