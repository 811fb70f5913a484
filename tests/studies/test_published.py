"""The papers' numbers: as printed, with their sources, and beside what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from examples import record

from stabbench.recipes import parse_recipe
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome
from stabbench.studies.loading import load_study, study_names
from stabbench.studies.published import compare_published, published
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.views import VIEWS
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.lab.tasks import LAB_TASKS


def result(study: str, recipe: str, task: str, model: str = "lab", variant: str = "") -> StudyResult:
    failed = replace(record(1), score=0.5, outcome=Outcome.FAILED)
    runs = RecipeRuns(recipe, [replace(record(), score=0.75), failed])
    row = Row(recipe, parse_recipe(recipe), {}, task, variant, model, "accuracy", 0.5, 3, False, runs)
    declared = load_study(study)
    return StudyResult(declared, [row], Path("nowhere"), VIEWS[declared.view])


@pytest.mark.parametrize("name", [name for name in study_names() if published(name)])
def test_published_numbers_belong_to_recipes_of_their_study(name: str) -> None:
    study = load_study(name)
    for entry in published(name):
        assert entry.recipe in study.recipes
        assert entry.task in GLUE_TASKS
        assert 0 < entry.std < entry.mean < 100
        assert entry.max is None or entry.mean < entry.max < 100


def test_numbers_as_printed() -> None:
    by = {(e.recipe, e.task, e.variant): e for e in published("mosbach2021-table1")}
    assert by["devlin", "glue/rte", ""].scores == "50.9 ± 4.5, max 67.5"
    assert by["mosbach", "glue/cola", ""].scores == "62.1 ± 1.8, max 65.3"
    zhang = {(e.recipe, e.task, e.variant): e.scores for e in published("zhang2021-table1")}
    assert zhang["reinit", "glue/rte", "split=zhang2021"] == "72.6 ± 1.6"
    assert zhang["longer:steps=400", "glue/mnli", "examples=1000,split=zhang2021"] == "67.5 ± 1.1"


def test_a_lab_task_stands_beside_the_task_that_it_mirrors() -> None:
    (row,) = compare_published(result("mosbach2021-table1", "devlin", "lab/entailment")).rows
    assert row == [
        "devlin",
        "lab/entailment, lab",
        "62.5 ± 17.7, max 75.0 (2 seeds, 1 failed)",
        "glue/rte, google-bert/bert-large-uncased",
        "50.9 ± 4.5, max 67.5 (25 seeds)",
        "other data, other model",
    ]


def test_the_papers_own_setting_differs_in_nothing_known() -> None:
    (row,) = compare_published(result("mosbach2021-table1", "devlin", "glue/rte", "bert-large-uncased")).rows
    assert row[-1] == "nothing that stabbench knows of"


def test_a_training_that_was_cut_short_is_named() -> None:
    made = result("mosbach2021-table1", "devlin", "lab/entailment")
    cut = replace(made, rows=[replace(made.rows[0], cut=True)])
    assert compare_published(cut).rows[0][-1] == "other data, other model, cut at 3 steps"
    assert "cut to 3 steps by --max-steps" in cut.text()


def test_another_variant_is_named_and_the_same_one_preferred() -> None:
    (row,) = compare_published(result("mosbach2021-table1", "devlin", "glue/rte", variant="examples=1000")).rows
    assert row[-1] == "other model, other variant"
    exact = result("zhang2021-table1", "reinit", "glue/rte", variant="examples=1000,split=zhang2021")
    assert [row[4] for row in compare_published(exact).rows] == ["65.6 ± 2.0 (20 seeds)"]
    assert len(compare_published(result("zhang2021-table1", "reinit", "lab/entailment")).rows) == 2


def test_a_figure_without_numbers_says_so() -> None:
    table = compare_published(result("zhang2021-fig5", "reinit", "lab/entailment"))
    assert "nothing is published for study 'zhang2021-fig5'" in table.text()
    assert not table.rows


def test_every_lab_task_mirrors_a_task_with_its_metric() -> None:
    for task in LAB_TASKS.values():
        assert GLUE_TASKS[task.mirrors].metric == task.metric
