"""Calls each hook of a recipe and refuses answers that cannot be used; check_recipe and every training use this."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence, Set
from numbers import Real
from typing import TYPE_CHECKING, Any

from stabbench.code.users_code import is_users
from stabbench.errors import RecipeError, excerpt
from stabbench.models.layout import Layout
from stabbench.recipes._base import Intermediate, Recipe
from stabbench.recipes._calling import ask, drawing_nothing, not_pure, wrong
from stabbench.recipes._class import check_class
from stabbench.recipes._hook_types import ParameterGroup, Stage
from stabbench.recipes._parameters import MOST_STEPS

if TYPE_CHECKING:
    from torch import Tensor

    from stabbench.models.families import Defaults
    from stabbench.recipes._base import Bernoulli

# Factors of a schedule that are checked before any training; the training itself checks all that it uses.
SCHEDULE_SAMPLE = 1_000


def resolve(recipe: Recipe, defaults: Defaults, depth: int | None) -> Recipe:
    """The recipe with the model's values in place of None.

    Raises:
        StabbenchError: The hook ``resolved`` fails, or gives something else.
    """
    answer = ask(recipe, "resolved", lambda: recipe.resolved(defaults, depth))
    if type(answer) is not type(recipe):
        raise wrong(recipe, "resolved", answer, f"a {type(recipe).__name__}")
    return answer


def planned_steps(recipe: Recipe, train_size: int, max_steps: int | None) -> int:
    """The number of steps that will be trained: the recipe's, or fewer where ``max_steps`` cuts it short.

    Raises:
        RecipeError: The recipe gives no positive number of steps, or one beyond reason.
    """
    total = ask(recipe, "total_steps", lambda: recipe.total_steps(train_size))
    if isinstance(total, bool) or not isinstance(total, int) or total < 1:
        raise wrong(recipe, "total_steps", total, "a positive int")
    if total > MOST_STEPS:
        raise RecipeError(
            f"recipe {recipe.name!r}: {excerpt(total)} steps are over {MOST_STEPS:,}", "give fewer epochs or steps"
        )
    return total if max_steps is None else min(total, max_steps)


def intermediate(recipe: Recipe, task: str) -> Intermediate | None:
    """What is trained before ``task``, if anything.

    Raises:
        StabbenchError: The recipe does not say, or says what cannot be trained.
    """
    before = ask(recipe, "intermediate", lambda: recipe.intermediate(task))
    if before is None:
        return None
    if not isinstance(before, Intermediate):
        raise wrong(recipe, "intermediate", before, "an Intermediate")
    if not isinstance(before.task, str) or not isinstance(before.recipe, Recipe):
        raise wrong(recipe, "intermediate", before, "an Intermediate of a task's name and a recipe")
    check_class(type(before.recipe))
    from stabbench.tasks.glue.specs import GLUE_TASKS  # numpy behind it is not for `stabbench --help`

    first, then = (GLUE_TASKS.get(name.partition(":")[0]) for name in (before.task, task))
    if first and then and first.folder == then.folder and before.task.partition(":")[0] != task.partition(":")[0]:
        raise RecipeError(f"recipe {recipe.name!r}: {before.task} has the same training set as {task}")
    return before


def fresh(recipe: Recipe, layout: Layout) -> Set[str]:
    """Names of the parameters that are drawn anew."""
    answer = ask(recipe, "fresh", lambda: recipe.fresh(layout))
    if not isinstance(answer, Set):
        raise wrong(recipe, "fresh", answer, "a set of names")
    return answer


def groups(recipe: Recipe, layout: Layout) -> Sequence[ParameterGroup]:
    """The optimizer's groups."""
    answer = ask(recipe, "groups", lambda: recipe.groups(layout))
    if not _is_sequence(answer) or not all(isinstance(group, ParameterGroup) for group in answer):
        raise wrong(recipe, "groups", answer, "a list of ParameterGroup")
    for group in answer:
        if not isinstance(group.names, Collection) or isinstance(group.names, str):
            raise wrong(recipe, "groups", group.names, "a list of names in a group")
        for field in ("weight_decay", "lr_factor"):
            if not _is_factor(getattr(group, field)):
                raise wrong(recipe, "groups", getattr(group, field), f"a finite {field} from 0 up")
        if not isinstance(group.to_pretrained, bool):
            raise wrong(recipe, "groups", group.to_pretrained, "True or False as to_pretrained")
    return list(answer)


def staging(recipe: Recipe, layout: Layout) -> Sequence[Stage]:
    """The equal parts of the training."""
    answer = ask(recipe, "staging", lambda: recipe.staging(layout))
    if not _is_sequence(answer) or not all(isinstance(stage, Stage) for stage in answer):
        raise wrong(recipe, "staging", answer, "a list of Stage")
    for stage in answer:
        if not isinstance(stage.trained, Set) or not isinstance(stage.restart, bool):
            raise wrong(recipe, "staging", stage, "stages of a set of names, and True or False as restart")
    return list(answer)


def schedule(recipe: Recipe, steps: Sequence[int], total_steps: int) -> list[float]:
    """The factors on the peak learning rate after these numbers of steps of a stage."""
    factors = ask(recipe, "schedule", lambda: [recipe.schedule(step, total_steps) for step in steps])
    for step, factor in zip(steps, factors, strict=True):
        if not _is_factor(factor):
            raise wrong(recipe, f"schedule({step}, {total_steps})", factor, "a finite number from 0 up")
    return [float(factor) for factor in factors]


def check_schedule(recipe: Recipe, total_steps: int) -> None:
    """Look at a schedule before any training.

    Raises:
        RecipeError: It leaves the finite numbers from 0 up, or is 0 all the time.
    """
    steps = sorted({*range(0, total_steps, max(1, total_steps // SCHEDULE_SAMPLE)), total_steps - 1})
    if not any(schedule(recipe, steps, total_steps)):
        raise RecipeError(f"recipe {recipe.name!r}: its schedule is 0 all the time", "nothing would be trained")


def gradient_scales(recipe: Recipe, norms: Tensor, *, values: bool) -> Tensor:
    """The factors on the components' gradients.

    Args:
        recipe: The recipe.
        norms: Of the components' gradients, ``[seeds, components]``.
        values: Whether to check the factors' values, too, which waits for a GPU.
    """
    what, version = "gradient_scales", norms._version
    with drawing_nothing(recipe, what):
        scales = recipe.gradient_scales(norms)
    _check_tensor(recipe, what, scales, norms)
    if norms._version != version:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its argument", "make a new tensor")
    if values:
        if not bool(((scales.isfinite() & (scales >= 0)) | ~norms.isfinite()).all()):
            raise RecipeError(f"recipe {recipe.name!r}: {what} gives factors that are negative or not finite")
        if is_users(type(recipe)) and not _same(recipe.gradient_scales(norms), scales):
            raise not_pure(recipe, what)
    return scales


def forward_weight(
    recipe: Recipe, weight: Tensor, pretrained: Tensor, bernoulli: Bernoulli, again: Callable[[], None] | None
) -> Tensor:
    """The weight that a Linear uses in a training step.

    Args:
        recipe: The recipe.
        weight: The current value, ``[seeds, out, in]``.
        pretrained: Its value before training.
        bernoulli: Draws masks.
        again: Rewinds the streams of ``bernoulli``, so that the hook can be called twice; None after the first step.
    """
    what, versions = "forward_weight", (weight._version, pretrained._version)
    answer = recipe.forward_weight(weight, pretrained, bernoulli)
    _check_tensor(recipe, what, answer, weight)
    if (weight._version, pretrained._version) != versions:
        raise RecipeError(f"recipe {recipe.name!r}: {what} changes its arguments", "make a new tensor")
    if again is not None and is_users(type(recipe)):
        if not bool((answer.isfinite() | ~weight.isfinite()).all()):
            raise RecipeError(f"recipe {recipe.name!r}: {what} gives weights that are not finite")
        again()
        if not _same(recipe.forward_weight(weight, pretrained, bernoulli), answer):
            raise not_pure(recipe, what)
    return answer


def _check_tensor(recipe: Recipe, hook: str, answer: object, like: Tensor) -> None:
    import torch  # loaded long ago where there are tensors

    if not isinstance(answer, torch.Tensor):
        raise wrong(recipe, hook, answer, "a tensor")
    if answer.shape != like.shape:
        raise RecipeError(
            f"recipe {recipe.name!r}: {hook} changes the shape {list(like.shape)} to {list(answer.shape)}"
        )
    for name in ("dtype", "device"):
        if getattr(answer, name) != getattr(like, name):
            raise RecipeError(
                f"recipe {recipe.name!r}: {hook} changes the {name} {getattr(like, name)} to {getattr(answer, name)}"
            )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_factor(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):  # NumPy's numbers are real ones, too
        return False
    return math.isfinite(value) and float(value) >= 0
