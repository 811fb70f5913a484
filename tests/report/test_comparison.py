"""The comparison object: its table, its JSON, and what a failed run does to both."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from examples import record

from stabbench.errors import StabbenchError
from stabbench.gate.comparison import NO_STABILITY, Comparison
from stabbench.gate.rules import Rules
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.rows import COLUMNS
from stabbench.records.run import Outcome
from stabbench.report.comparison import PrintedComparison, comparison_text
from stabbench.report.numbers import p_value
from stabbench.report.pictures import plot_comparison


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
    text = comparison_text(comparison)
    headings = [re.split("  +", line) for line in text.splitlines() if "---" not in line]
    assert ["recipe", "runs", "failed", "mean ± std", "min", "max"] in headings
    assert ["against devlin", "compared", "test", "p worse", "p better", "p two-sided"] in headings
    assert ["mosbach", "5", "0", "0.804 ± 0.011", "0.790", "0.820"] in headings
    assert "Levene, mean" in text
    assert "Levene, median" in text
    (boschloo,) = (line for line in headings if "Boschloo" in line)
    (test,) = comparison.tests
    assert boschloo[3:] == [str(p_value(test.failures.p_worse)), str(p_value(test.failures.p_better))]


def test_a_line_fits_a_terminal(comparison: Comparison) -> None:
    assert max(map(len, comparison_text(comparison).splitlines())) <= 80


def test_a_recipe_whose_every_run_lost_its_score_still_has_its_row() -> None:
    comparison = Comparison("t", "m", "accuracy", 0.5, [runs("a", [None] * 3), runs("b", [0.6, 0.7, 0.8])])
    assert "- ± -" in comparison_text(comparison)
    assert json.dumps(comparison.to_json(), allow_nan=False)


@pytest.mark.parametrize(("collapsed", "said"), [(0, False), (5, False), (6, True), (10, True)])
@pytest.mark.parametrize("first", [True, False])
def test_the_small_spread_of_failed_runs_is_not_left_to_look_like_stability(
    collapsed: int, said: bool, first: bool
) -> None:
    """Ten runs at the constant predictor's score are "significantly steadier" to any test of spread."""
    scores: list[float | None] = [0.5 - i / 1e4 for i in range(collapsed)] + [
        0.7 + i / 100 for i in range(10 - collapsed)
    ]
    pair = [runs("bad", scores), runs("good", [0.6 + i / 40 for i in range(10)])]
    comparison = Comparison("t", "m", "accuracy", 0.5, pair if first else pair[::-1])
    if collapsed == 10 and not first:
        assert (comparison.tests[0].spread.p_better or 0) < 0.05
    assert (f"spread: {NO_STABILITY}" in " ".join(comparison_text(comparison).split())) is said
    notes = [test["note"] for test in comparison.tests[0].to_json().values() if isinstance(test, dict)]
    assert [NO_STABILITY in note for note in notes] == [said, said, said, False, False]


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
        "import sys, stabbench.cli, stabbench.report.comparison, stabbench.statistics, stabbench.records.store\n"
        "from stabbench import Recipe, recipe_names\nrecipe_names()\n"
        "assert not {'torch', 'transformers', 'datasets', 'scipy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_a_constant_score_failed_runs_are_unknown_and_there_is_no_verdict() -> None:
    records = [replace(record(seed), outcome=Outcome.UNKNOWN, constant_score=None) for seed in range(3)]
    unknown = PrintedComparison.of_runs(
        [RecipeRuns("old", records, source="a"), RecipeRuns("new", records, source="b")]
    )
    text = str(unknown)
    assert "best constant predictor unknown" in text
    assert "measured elsewhere: old from a; new from b" in text
    assert re.search(r"(?m)^old +3 +unknown ", text)
    assert "which runs failed is not known without --constant-score" in text
    data = unknown.to_json()
    assert data["recipes"]["old"]["failed"] is None
    assert data["tests"]["new vs old"]["failures"]["p_worse"] is None
    with pytest.raises(StabbenchError, match="nobody knows which runs of old failed"):
        unknown.judge(Rules())


def test_a_data_frame_has_one_row_a_run(comparison: Comparison) -> None:
    frame = comparison.to_dataframe()
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame["recipe"]) == ["devlin"] * 5 + ["mosbach"] * 5
    assert frame.groupby("recipe")["score"].mean()["devlin"] == pytest.approx(0.61)
