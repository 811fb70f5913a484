"""A study's grid: which recipes, with which parameters, on which seeds; and studies that contradict themselves."""

from __future__ import annotations

from typing import Any

import pytest

from stabbench.errors import RecipeError, StudyError
from stabbench.studies.study import Study, replace


def study(**changes: Any) -> Study:
    return Study(**{"name": "mine", "title": "A title", "recipes": ["devlin", "reinit:blocks=2,lr=1e-5"], **changes})


def test_the_grid_is_crossed_with_every_recipe_in_order() -> None:
    points = list(study(recipes=["devlin", "reinit:blocks=2"], grid={"lr": [2e-5, 3e-5], "epochs": [3, 10]}).points())
    assert [point.text for point in points] == ["devlin"] * 4 + ["reinit:blocks=2"] * 4
    values = [(point.recipe.lr, point.recipe.epochs) for point in points]
    assert values == [(2e-5, 3.0), (2e-5, 10.0), (3e-5, 3.0), (3e-5, 10.0)] * 2
    assert points[1].varied == {"lr": 2e-5, "epochs": 10}
    assert points[4].recipe.parameters()["blocks"] == 2


def test_parameters_are_set_in_every_recipe_that_does_not_set_them_itself() -> None:
    devlin, reinit = study(parameters={"lr": 7e-5, "batch_size": 32}).points()
    assert (devlin.recipe.lr, devlin.recipe.batch_size) == (7e-5, 32)
    assert (reinit.recipe.lr, reinit.recipe.batch_size) == (1e-5, 32)


def test_seeds_are_a_number_or_a_list() -> None:
    assert [s.seed for s in study(seeds=3).seed_list()] == [0, 1, 2]
    assert [s.seed for s in study(seeds=[4, 9]).seed_list()] == [4, 9]


def test_crossed_seeds_pair_every_initialisation_with_every_order() -> None:
    seeds = study(seeds=[3, 5], crossed=True).seed_list()
    assert [(s.initialisation, s.order, s.dropout) for s in seeds] == [(3, 3, 3), (3, 5, 5), (5, 3, 3), (5, 5, 5)]


def test_a_pair_of_seeds_is_the_same_run_in_every_crossed_study() -> None:
    """Or a larger grid would be trained from the start."""
    small, large = (set(study(seeds=seeds, crossed=True).seed_list()) for seeds in (4, [0, 1, 2, 3, 9]))
    assert small < large
    assert len({s.seed for s in large}) == 25


def test_settings_are_parameters_of_a_family_and_a_task() -> None:
    settings = [{"family": "bert", "task": "glue/rte", "parameters": {"lr": 7e-5, "batch_size": 8}}]
    found = study(settings=settings, parameters={"batch_size": 32})
    assert found.parameters_for("bert", "glue/mrpc") == found.parameters_for("xlnet", "glue/rte") == {}
    devlin, reinit = found.points(found.parameters_for("bert", "glue/rte"))
    assert (devlin.recipe.lr, devlin.recipe.batch_size) == (7e-5, 8)
    assert reinit.recipe.lr == 1e-5  # given after its name
    assert {point.recipe.batch_size for point in found.points()} == {32}


def test_replace_leaves_what_is_none() -> None:
    changed = replace(study(seeds=3), seeds=None, tasks=["glue/rte"])
    assert (changed.seeds, changed.tasks) == (3, ["glue/rte"])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"recipes": []}, StudyError, "recipes must be a list"),
        ({"recipes": "devlin"}, StudyError, "recipes must be a list"),
        ({"recipes": [1]}, StudyError, "recipes must be a list"),
        ({"variants": [1]}, StudyError, "variants must be a list"),
        ({"panels": "task"}, StudyError, "panels must be a list"),
        ({"seeds": []}, StudyError, "seeds must be a number or a list"),
        ({"seeds": "5"}, StudyError, "seeds must be a number or a list"),
        ({"seeds": True}, StudyError, "seeds must be a number or a list"),
        ({"seeds": [1.5]}, StudyError, "1.5 is no seed"),
        ({"seeds": [True]}, StudyError, "True is no seed"),
        ({"seeds": [-1]}, StudyError, "seed -1 is negative"),
        ({"seeds": [[1]]}, StudyError, "\\[1\\] is no seed"),
        ({"seeds": [4, 4]}, StudyError, "seed 4 is given twice"),
        ({"seeds": 10**11}, StudyError, "100000000000 seeds are too many"),
        ({"grid": [1e-5]}, StudyError, "grid must be a table"),
        ({"crossed": 1}, StudyError, "crossed must be true or false"),
        ({"tasks": ["lab/entailment"] * 2}, StudyError, "'lab/entailment' is twice among the tasks"),
        ({"variants": ["examples=250", "examples=0250"]}, StudyError, "'task:examples=250' is twice"),
        ({"grid": {"lr": [2e-5]}}, StudyError, "lr is in the grid and set for recipe 'reinit"),
        ({"recipes": ["devlin"], "grid": {"lr": [1e-5]}, "parameters": {"lr": 1e-5}}, StudyError, "lr is in the grid"),
        ({"recipes": ["longer"], "grid": {"epochs": [3]}}, RecipeError, "epochs has no effect with steps=800"),
        ({"x": "lr"}, StudyError, "view 'boxes' has no x"),
        ({"tasks": ()}, StudyError, "tasks must be a list"),
        ({"settings": "bert"}, StudyError, "settings must be a list"),
        ({"settings": [{"family": "bert"}]}, StudyError, "a setting has a family, a task and parameters"),
        ({"settings": [{"family": "b", "task": "t", "parameters": {"lrr": 1}}]}, RecipeError, "'lrr'"),
        ({"grid": {"lr": 2e-5}}, StudyError, "lr must be a list of values"),
        ({"grid": {"lr": []}}, StudyError, "lr must be a list of values"),
        ({"view": "boxs"}, StudyError, "did you mean 'boxes'"),
        ({"view": "lines"}, StudyError, "needs x"),
        ({"view": "lines", "x": "lr"}, StudyError, "needs x"),
        ({"view": "crossed"}, StudyError, "needs crossed = true"),
        ({"panels": ["colour"]}, StudyError, "unknown panel 'colour'"),
        ({"recipes": ["devlni"]}, RecipeError, "did you mean 'devlin'"),
        ({"parameters": {"blocks": 1}}, RecipeError, "unknown parameter of recipe 'devlin'"),
        ({"recipes": ["devlin"], "grid": {"lr": [-1.0]}}, RecipeError, "must be above 0"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(changes: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        study(**changes)
