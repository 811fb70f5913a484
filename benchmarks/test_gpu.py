"""The GPU tier: the same claims on a real model and real tasks.

    pytest benchmarks --gpu

GLUE and the model come from the hub, or from folders: STABBENCH_GLUE is the folder of the official TSV files,
STABBENCH_GPU_MODEL a local model in place of the hub's. Not yet measured: no cell has a baseline, and what is asserted
are the papers' own claims, not figures of ours. To record the baselines: pytest benchmarks --gpu --stability-update
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from stabbench.pytest_plugin.fixture import Stability
from stabbench.pytest_plugin.result import StabilityResult

RECIPES = ["devlin", "bias-correction", "mosbach", "mixout", "reinit", "cwgnc"]
TASKS = ["glue/rte", "glue/mrpc", "glue/cola"]
MODEL = os.environ.get("STABBENCH_GPU_MODEL", "sentence-transformers/all-MiniLM-L6-v2")
SEEDS = 25

pytestmark = pytest.mark.gpu


def trained(stability: Stability, recipe: str, task: str, **options: Any) -> StabilityResult:
    usual = {"model": MODEL, "seeds": SEEDS, "data_dir": os.environ.get("STABBENCH_GLUE"), "workers": 1}
    return stability.run(recipe, task=task, **{**usual, **options})


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_is_less_stable_than_it_was(stability: Stability, recipe: str, task: str) -> None:
    trained(stability, recipe, task).not_less_stable_than_baseline()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("recipe", ["mosbach", "cwgnc"])
def test_the_recipes_that_promise_it_have_no_failed_runs(stability: Stability, recipe: str, task: str) -> None:
    """Mosbach et al. 2021, section 6; Yang and Ma 2022, Table 1."""
    trained(stability, recipe, task).has_no_failed_runs()
