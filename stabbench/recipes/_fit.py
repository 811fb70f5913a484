"""Whether what a recipe's hooks answer can be used: found out before any training, whoever wrote the recipe."""

from __future__ import annotations

from collections import Counter

from stabbench.errors import RecipeError, StabbenchError
from stabbench.models.layout import Layout
from stabbench.recipes._answers import Intermediate
from stabbench.recipes._base import Recipe


def planned_steps(recipe: Recipe, train_size: int, max_steps: int | None) -> int:
    """The number of steps that will be trained: the recipe's, or fewer where ``max_steps`` cuts it short.

    Raises:
        RecipeError: The recipe gives no positive number of steps.
    """
    try:
        total = recipe.total_steps(train_size)
    except Exception as error:  # a user's recipe may raise anything
        raise RecipeError(f"recipe {recipe.name!r}: total_steps fails: {type(error).__name__}: {error}") from error
    if not isinstance(total, int) or total < 1:
        raise RecipeError(f"recipe {recipe.name!r}: total_steps gives {total!r}, not a positive int")
    return total if max_steps is None else min(total, max_steps)


def intermediate(recipe: Recipe, task: str) -> Intermediate | None:
    """What is trained before ``task``, if anything.

    Raises:
        StabbenchError: The recipe does not say.
    """
    try:
        before = recipe.intermediate(task)
    except StabbenchError:
        raise
    except Exception as error:  # a user's recipe may raise anything
        raise RecipeError(f"recipe {recipe.name!r}: intermediate fails: {type(error).__name__}: {error}") from error
    if before is not None and not isinstance(before, Intermediate):
        raise RecipeError(f"recipe {recipe.name!r}: intermediate gives {before!r}, not an Intermediate")
    return before


def check_fit(recipe: Recipe, layout: Layout, total_steps: int) -> None:
    """Find out before any training whether a recipe fits a model.

    Args:
        recipe: With the model's defaults filled in.
        layout: Of the model.
        total_steps: The number of steps of a whole training.

    Raises:
        StabbenchError: It needs a structure that the model has not, or names parameters that are not the model's.
    """
    try:
        fresh = recipe.fresh(layout)
        grouped = Counter(name for group in recipe.groups(layout) for name in group.names)
        stages = recipe.staging(layout)
    except StabbenchError:
        raise
    except Exception as error:  # a user's recipe may raise anything
        raise RecipeError(f"recipe {recipe.name!r} does not fit: {type(error).__name__}: {error}") from error
    if grouped != Counter(p.name for p in layout.parameters):
        raise RecipeError(f"recipe {recipe.name!r}: its optimizer groups do not hold every parameter exactly once")
    if not fresh <= grouped.keys():
        raise RecipeError(f"recipe {recipe.name!r}: fresh names parameters that the model does not have")
    if not stages or not all(stage.trained and stage.trained <= grouped.keys() for stage in stages):
        raise RecipeError(f"recipe {recipe.name!r}: a stage trains nothing, or parameters that the model does not have")
    if total_steps % len(stages):
        raise RecipeError(f"recipe {recipe.name!r}: {total_steps} steps cannot be cut into {len(stages)} equal stages")
