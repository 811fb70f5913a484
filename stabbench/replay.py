"""What a baseline's cell stands for, as a plan: the same recipe, task and model as they are today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stabbench.baselines import Baseline
from stabbench.plan import Plan
from stabbench.recipes import parse_recipe
from stabbench.seeds import Seeds
from stabbench.tasks import folder_for


def plan_of(baseline: Baseline, seeds: Sequence[int], options: Mapping[str, Any]) -> Plan:
    """The plan that trains ``baseline`` again.

    Args:
        baseline: The cell.
        seeds: Its runs.
        options: Fields of :class:`stabbench.plan.Plan` in place of the baseline's; None leaves them as they are.

    Raises:
        StabbenchError: An unknown recipe, or a bad option.
    """
    given = {name: value for name, value in options.items() if value is not None}
    # It may be for the suite's other cells.
    given["data_dir"] = folder_for(baseline.task, given.get("data_dir"))
    return Plan(
        recipes=[parse_recipe(baseline.recipe)],
        task=baseline.task,
        seeds=[Seeds.of(n) for n in seeds],
        max_steps=baseline.experiment.get("max_steps"),
        # A revision is of the model that the baseline names.
        revision=None if "model" in given else baseline.revision,
        **{"model": baseline.model, "device": baseline.environment.get("device", "auto"), **given},
    )
