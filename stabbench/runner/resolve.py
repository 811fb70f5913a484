"""Resolves a plan: finds model, task and data, and the fingerprint of each recipe; or of each training.

Nothing here loads torch where it runs on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import version

from stabbench.code.replaced import check_nothing_replaced
from stabbench.errors import RecipeError, StabbenchError
from stabbench.models.families import defaults_of, keeps_inputs_first, separates_pairs
from stabbench.models.source import find_model
from stabbench.recipes import Recipe, call_hooks, intermediate, planned_steps
from stabbench.records.run import Environment
from stabbench.records.seeds import Seeds
from stabbench.runner.cells import RecipeCell, ResolvedRecipes, ResolvedTrainings
from stabbench.runner.distinct import only_dropout_differs
from stabbench.runner.fingerprint import environment_of, fingerprint
from stabbench.runner.plan import Plan
from stabbench.runner.resolve_trainings import resolve_trainings
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import find_task, load
from stabbench.tasks.source import TaskSource
from stabbench.tasks.task import Task


def resolve(plan: Plan, resources: Resources) -> ResolvedRecipes | ResolvedTrainings:
    """Find everything that a plan names.

    Raises:
        StabbenchError: Bad input; or a plugin has replaced something in this package.
    """
    check_nothing_replaced()
    if plan.trainings:
        return resolve_trainings(plan, resources)
    return resolve_recipes(plan, resources)


def resolve_recipes(plan: Plan, resources: Resources) -> ResolvedRecipes:
    """Find model, task and data of a plan of recipes.

    Raises:
        StabbenchError: Bad input.
    """
    model = find_model(plan.model, plan.revision, allow_pickle=resources.allow_pickle)
    source = find_task(plan.task, plan.data_dir)
    task = load(source)
    device = resources.device or "auto"
    environment = _of_cluster(resources.ray_address, device) if resources.executor == "ray" else _here(device)
    digest, defaults, depth = model.digest(), defaults_of(model.family), model.depth

    same_but_dropout = only_dropout_differs(plan.seeds)

    def cell(
        recipe: Recipe, source: TaskSource, on: Task, seeds: Sequence[Seeds], *, prerequisite: bool = False
    ) -> RecipeCell:
        resolved = call_hooks.resolve(recipe, defaults, depth)
        if resolved.precision == "tf32" and environment["device"] == "cpu":
            raise RecipeError(f"recipe {recipe.label!r}: TF32 is the arithmetic of a GPU", "leave out precision=tf32")
        if resolved.dropout == 0 and same_but_dropout and type(recipe).forward_weight is Recipe.forward_weight:
            raise RecipeError(
                f"recipe {recipe.label!r}: some runs differ in their dropout alone, and it drops out nothing: they "
                "would be the same",
                "leave initialisation or order to the seeds",
            )
        # Nothing comes before an intermediate training, whose recipe may be the one that asks for it.
        before = None if prerequisite else intermediate(recipe, on.name)
        first = None
        if before is not None:
            other = find_task(before.task, plan.data_dir, shared=True)
            first = cell(before.recipe, other, load(other), [before.seeds], prerequisite=True)
        # A limit that cuts nothing off is no part of the run's identity.
        whole = planned_steps(resolved, on.schedule_size, None)
        cut = plan.max_steps if plan.max_steps is not None and plan.max_steps < whole else None
        found = fingerprint(
            resolved,
            on,
            digest,
            model.lr_multiplier,
            environment,
            cut,
            first=None if first is None else (first.fingerprint, first.seeds[0]),
            separates_pairs=separates_pairs(model.family),
            inputs_first=keeps_inputs_first(model.family),
        )
        return RecipeCell(recipe.label, found, seeds, resolved, source, on, model, plan.max_steps, first)

    cells: list[RecipeCell] = []
    for recipe in plan.only_recipes:
        new = cell(recipe, source, task, plan.seeds)
        same = next((other.label for other in cells if other.fingerprint == new.fingerprint), None)
        if same is not None:
            raise RecipeError(f"recipes {same!r} and {new.label!r} are the same on this model")
        cells.append(new)
    return ResolvedRecipes(plan, environment, cells, model, task)


def _here(device: str) -> Environment:
    # A build without CUDA says so in its version; loading it to ask takes seconds.
    if device == "cuda" or (device == "auto" and not version("torch").endswith("+cpu")):
        import torch

        if torch.cuda.is_available():
            return environment_of("cuda")
        if device == "cuda":
            raise StabbenchError(
                "no GPU: torch.cuda.is_available() is false", "leave out --device, or give --device cpu"
            )
    return environment_of("cpu")


@cache
def _of_cluster(address: str | None, device: str) -> Environment:
    """What a worker of the cluster says: the driver may have no GPU, or another one."""
    from stabbench.runner.executors import ask, has_gpus, stay_connected

    stay_connected(address)
    if device == "auto":
        device = "cuda" if has_gpus(address) else "cpu"
    return ask(address, device, partial(environment_of, device))
