"""A plan with everything found that it names: model, task and data, and what the runs of each recipe are made of.

Nothing here loads torch where it runs on the CPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from typing import Any

from stabbench.errors import RecipeError, StabbenchError
from stabbench.fingerprint import environment_of, fingerprint
from stabbench.models.families import defaults_of
from stabbench.models.source import ModelSource, find_model
from stabbench.plan import Plan
from stabbench.recipes import Recipe, intermediate, planned_steps
from stabbench.records import Fingerprint
from stabbench.seeds import Seeds
from stabbench.tasks import Task, folder_for, load_task


@dataclass(frozen=True)
class Cell:
    """One recipe on one task.

    Attributes:
        label: The recipe's label as it was asked for.
        recipe: With its model's defaults filled in.
        task: The task with its data.
        made_of: The fingerprint of all its runs.
        max_steps: Cuts every training short, if set.
        first: What the encoder is trained on before that, and with which seeds.
    """

    label: str
    recipe: Recipe
    task: Task
    made_of: Fingerprint
    max_steps: int | None
    first: tuple[Cell, Seeds] | None = None

    @property
    def steps(self) -> int:
        """The updates of one run."""
        return planned_steps(self.recipe, self.task.schedule_size, self.max_steps)

    @property
    def whole_steps(self) -> int:
        """The updates of one run that is not cut short."""
        return planned_steps(self.recipe, self.task.schedule_size, None)

    @property
    def encoder(self) -> str | None:
        """The run whose encoder all runs start from, if there is one."""
        return None if self.first is None else self.first[0].made_of.run_id(self.first[1])


@dataclass(frozen=True)
class Prepared:
    """What a plan names.

    Attributes:
        model: Where the model is.
        task: The task with its data.
        environment: Where the runs are made: libraries, and the device.
        cells: One a recipe, in the plan's order.
    """

    model: ModelSource
    task: Task
    environment: Mapping[str, Any]
    cells: Sequence[Cell]

    @property
    def device(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return str(self.environment["device"])


def prepare(plan: Plan) -> Prepared:
    """Find everything.

    Raises:
        StabbenchError: Bad input.
    """
    model = find_model(plan.model, plan.revision, allow_pickle=plan.allow_pickle)
    task = load_task(plan.task, plan.data_dir)
    environment = _of_cluster(plan.ray_address, plan.device) if plan.executor == "ray" else _here(plan.device)
    digest, defaults, depth = model.digest(), defaults_of(model.family), model.depth

    def cell(recipe: Recipe, on: Task, *, is_first: bool = False) -> Cell:
        resolved = recipe.resolved(defaults, depth)
        if resolved.precision == "tf32" and environment["device"] == "cpu":
            raise RecipeError(f"recipe {recipe.label!r}: TF32 is the arithmetic of a GPU", "leave out precision=tf32")
        # Nothing comes before an intermediate training: its recipe may be the one that asks for it.
        before = None if is_first else intermediate(recipe, on.name)
        first = None
        if before is not None:
            other = load_task(before.task, folder_for(before.task, plan.data_dir))
            first = (cell(before.recipe, other, is_first=True), before.seeds)
        # A limit that cuts nothing off is no part of the run's identity.
        whole = planned_steps(resolved, on.schedule_size, None)
        cut = plan.max_steps if plan.max_steps is not None and plan.max_steps < whole else None
        made_of = fingerprint(
            resolved,
            on,
            digest,
            model.lr_multiplier,
            environment,
            cut,
            first=None if first is None else (first[0].made_of, first[1]),
        )
        return Cell(recipe.label, resolved, on, made_of, plan.max_steps, first)

    cells: list[Cell] = []
    for recipe in plan.recipes:
        new = cell(recipe, task)
        same = next((other.label for other in cells if other.made_of == new.made_of), None)
        if same is not None:
            raise RecipeError(f"recipes {same!r} and {new.label!r} are the same on this model")
        cells.append(new)
    return Prepared(model, task, environment, cells)


def _here(device: str) -> dict[str, Any]:
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
def _of_cluster(address: str | None, device: str) -> dict[str, Any]:
    """What a worker of the cluster says: the driver may have no GPU, or another one."""
    from stabbench.executors import ask, has_gpus, stay_connected

    stay_connected(address)
    if device == "auto":
        device = "cuda" if has_gpus(address) else "cpu"
    return ask(address, device, partial(environment_of, device))
