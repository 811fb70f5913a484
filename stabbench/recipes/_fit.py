"""Whether what a recipe's hooks answer can be used: found out before any training, whoever wrote the recipe."""

from __future__ import annotations

from collections import Counter

from stabbench.errors import RecipeError, StabbenchError
from stabbench.models.layout import Layout
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


def check_fit(recipe: Recipe, layout: Layout) -> None:
    """Find out before any training whether a recipe fits a model.

    Raises:
        StabbenchError: It needs a structure that the model has not, or names parameters that are not the model's.
    """
    try:
        fresh = recipe.fresh(layout)
        grouped = Counter(name for group in recipe.groups(layout) for name in group.names)
    except StabbenchError:
        raise
    except Exception as error:  # a user's recipe may raise anything
        raise RecipeError(f"recipe {recipe.name!r} does not fit: {type(error).__name__}: {error}") from error
    if grouped != Counter(p.name for p in layout.parameters):
        raise RecipeError(f"recipe {recipe.name!r}: its optimizer groups do not hold every parameter exactly once")
    if not fresh <= grouped.keys():
        raise RecipeError(f"recipe {recipe.name!r}: fresh names parameters that the model does not have")
