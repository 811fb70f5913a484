"""What several functions get as arguments, as a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from stabbench.errors import RecipeError
from stabbench.recipes import Recipe, load_plugin
from stabbench.records.seeds import Seeds, seed_list
from stabbench.runner.methods import find_method
from stabbench.runner.plan import Plan
from stabbench.tasks.task import Task

#: What a page says of how it was made.
IN_PYTHON = "stabbench.{}, in Python"

Item = TypeVar("Item", str, str | Recipe)


def load_plugins(plugins: Sequence[str]) -> None:
    """Import modules that define recipes, tasks or metrics.

    Raises:
        RecipeError: One cannot be imported, or a text stands in the place of the list.
    """
    for plugin in some(plugins, "plugins"):
        load_plugin(plugin)


def plan_of(
    recipes: Sequence[str | Recipe],
    task: str | Task,
    model: str,
    seeds: int | Sequence[int | Seeds],
    revision: str | None,
    data_dir: str | Path | None,
    max_steps: int | None,
) -> Plan:
    """The plan of a function's arguments.

    Raises:
        StabbenchError: Bad input.
    """
    if not recipes:
        raise RecipeError("no recipes", 'give a list: ["devlin", "mosbach"]')
    return Plan(
        recipes=[find_method(r) if isinstance(r, str) else r for r in some(recipes, "recipes")],
        task=task,
        model=model,
        seeds=seed_list(seeds),
        revision=revision,
        data_dir=path(data_dir),
        max_steps=max_steps,
    )


def some(given: Sequence[Item], what: str) -> Sequence[Item]:
    """A list, which a text is not.

    Raises:
        RecipeError: It is a text.
    """
    if isinstance(given, str):
        raise RecipeError(f"{what} are a list", f"give [{given!r}]")
    return given


def path(given: str | Path | None) -> Path | None:
    """A path that may be left out."""
    return None if given is None else Path(given)
