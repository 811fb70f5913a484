"""Calls each hook of a recipe and refuses answers that cannot be used; check_recipe and every training use this.

Those that work on tensors inside a step are in :mod:`stabbench.recipes.call_step_hooks`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from numbers import Real
from typing import TYPE_CHECKING, Any

from stabbench.code.users_code import in_short, users_code
from stabbench.errors import RecipeError, StabbenchError, excerpt
from stabbench.models.layout import Layout
from stabbench.recipes._asking import ask, drawing_nothing, wrong
from stabbench.recipes._base import Intermediate, Recipe
from stabbench.recipes._class import check_class
from stabbench.recipes._hook_types import FurtherPass, ParameterGroup, Stage, Subnetwork
from stabbench.recipes._parameters import MOST_STEPS

if TYPE_CHECKING:
    import torch

    from stabbench.models.families import Defaults

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
        if not _is_factor(stage.lr_factor):
            raise wrong(recipe, "staging", stage.lr_factor, "a finite lr_factor from 0 up")
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


def make_optimizer(recipe: Recipe, groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimizer of a stage.

    Raises:
        RecipeError: It is none, is not for just these parameters, or cannot do what the groups ask for.
    """
    import torch

    from stabbench.optim import AdamW, SeedOptimizer  # loaded long ago where there are tensors

    what, wanted = "make_optimizer", [id(p) for group in groups for p in group["params"]]
    with users_code(), drawing_nothing(recipe, what):
        try:
            made = recipe.make_optimizer(groups)
        except StabbenchError:
            raise
        except Exception as error:  # a user's recipe may raise anything
            raise RecipeError(f"recipe {recipe.name!r}: {what} fails: {in_short(error)}") from error
    if not isinstance(made, torch.optim.Optimizer):
        raise wrong(recipe, what, made, "a torch.optim.Optimizer")
    if Counter(id(p) for group in made.param_groups for p in group["params"]) != Counter(wanted):
        raise RecipeError(f"recipe {recipe.name!r}: its optimizer is not for exactly the parameters of its groups")
    if not all({"lr", "lr_factor"} <= group.keys() for group in made.param_groups):
        raise RecipeError(
            f"recipe {recipe.name!r}: its optimizer lost lr or lr_factor of a group", "hand on the groups"
        )
    if any(group["anchors"] is not None for group in groups) and not isinstance(made, AdamW | SeedOptimizer):
        raise RecipeError(
            f"recipe {recipe.name!r}: {type(made).__name__} does not know a decay towards the pretrained values",
            "write it as a stabbench.optim.SeedOptimizer, or leave out to_pretrained",
        )
    return made


def check_state(recipe: Recipe, optimizer: torch.optim.Optimizer) -> None:
    """Look at what an optimizer keeps after its first step.

    Raises:
        RecipeError: Something that is neither each seed's own nor a number.
    """
    import torch

    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            own = isinstance(value, torch.Tensor) and value.dim() > 0 and len(value) == len(parameter)
            single = isinstance(value, int | float) or (isinstance(value, torch.Tensor) and value.dim() == 0)
            if not (own or single):
                raise RecipeError(
                    f"recipe {recipe.name!r}: its optimizer keeps {excerpt(key)}, which is neither a tensor "
                    "[seeds, ...] nor a number",
                    "a seed must not depend on the others, and a checkpoint keeps each by itself",
                )


def start_noise(recipe: Recipe, layout: Layout) -> Mapping[str, float]:
    """Noise on what training starts from, by name."""
    answer = ask(recipe, "start_noise", lambda: recipe.start_noise(layout))
    if not isinstance(answer, Mapping) or not all(_is_factor(value) for value in answer.values()):
        raise wrong(recipe, "start_noise", answer, "a mapping of names to finite factors from 0 up")
    if not set(answer) <= {p.name for p in layout.parameters}:
        raise RecipeError(f"recipe {recipe.name!r}: start_noise names parameters that the model does not have")
    return answer


def subnetwork(recipe: Recipe, layout: Layout) -> Subnetwork | None:
    """Parameters of which a part of the entries is trained."""
    answer = ask(recipe, "subnetwork", lambda: recipe.subnetwork(layout))
    if answer is None:
        return None
    if not isinstance(answer, Subnetwork) or not isinstance(answer.names, Set):
        raise wrong(recipe, "subnetwork", answer, "a Subnetwork of a set of names and a share, or None")
    if not _is_factor(answer.share) or not 0 < answer.share <= 1:
        raise wrong(recipe, "subnetwork", answer.share, "a share above 0, at most 1")
    if not answer.names or not answer.names <= {p.name for p in layout.parameters}:
        raise RecipeError(f"recipe {recipe.name!r}: subnetwork names nothing, or what the model does not have")
    return answer


def further_passes(recipe: Recipe) -> Sequence[FurtherPass]:
    """The forward passes of a step besides the first."""
    answer = ask(recipe, "further_passes", recipe.further_passes)
    if not _is_sequence(answer) or not all(isinstance(each, FurtherPass) for each in answer):
        raise wrong(recipe, "further_passes", answer, "a list of FurtherPass")
    for each in answer:
        if each.noise not in ("none", "normal", "uniform") or not _is_factor(each.size):
            raise wrong(recipe, "further_passes", each, "noise none, normal or uniform, of a finite size from 0 up")
    return list(answer)


def averages(recipe: Recipe, steps: int, total_steps: int) -> list[float]:
    """The share of the weights in the average that is scored, after each of ``steps`` updates; empty without one."""
    if type(recipe).average is Recipe.average:
        return []
    shares = ask(recipe, "average", lambda: [recipe.average(step + 1, total_steps) for step in range(steps)])
    for step, share in enumerate(shares, start=1):
        if not _is_factor(share) or share > 1:
            raise wrong(recipe, f"average({step}, {total_steps})", share, "a number from 0 to 1")
    return [float(share) for share in shares]


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_factor(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):  # NumPy's numbers are real ones, too
        return False
    return math.isfinite(value) and float(value) >= 0
