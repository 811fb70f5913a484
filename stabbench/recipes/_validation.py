"""Validation of what a recipe's hooks return for a model, before any training."""

from __future__ import annotations

from collections import Counter

from stabbench.errors import RecipeError
from stabbench.escape import is_unicode
from stabbench.models.layout import Layout
from stabbench.recipes import call_hooks
from stabbench.recipes._asking import ask, wrong
from stabbench.recipes._base import Recipe


def check_label(recipe: Recipe) -> None:
    """Check that a recipe's label can be stored with its runs.

    Raises:
        RecipeError: It is not one line of text.
    """
    label = ask(recipe, "label", lambda: recipe.label)
    if not isinstance(label, str) or not label.strip() or len(label.splitlines()) > 1 or not is_unicode(label):
        raise wrong(recipe, "label", label, "a text in one line")


def check_fit(recipe: Recipe, layout: Layout, total_steps: int) -> None:
    """Check that what a recipe's hooks return can be used with a model.

    Args:
        recipe: With the model's defaults filled in.
        layout: The model's parameters.
        total_steps: The number of steps of a whole training.

    Raises:
        StabbenchError: The recipe needs a structure that the model lacks, names parameters that the model does not
            have, or one of its hooks returns a value that cannot be used.
    """
    fresh, stages = call_hooks.fresh(recipe, layout), call_hooks.staging(recipe, layout)
    grouped = Counter(name for group in call_hooks.groups(recipe, layout) for name in group.names)
    if grouped != Counter(p.name for p in layout.parameters):
        raise RecipeError(f"recipe {recipe.name!r}: its optimizer groups do not hold every parameter exactly once")
    if not fresh <= grouped.keys():
        raise RecipeError(f"recipe {recipe.name!r}: fresh names parameters that the model does not have")
    if not stages or not all(stage.trained and stage.trained <= grouped.keys() for stage in stages):
        raise RecipeError(f"recipe {recipe.name!r}: a stage trains nothing, or parameters that the model does not have")
    if total_steps % len(stages):
        raise RecipeError(f"recipe {recipe.name!r}: {total_steps} steps cannot be cut into {len(stages)} equal stages")
    call_hooks.start_noise(recipe, layout)
    call_hooks.subnetwork(recipe, layout)
    call_hooks.further_passes(recipe)
    call_hooks.check_schedule(recipe, total_steps // len(stages))
