"""What a store has of a plan: nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stabbench.errors import StabbenchError, listed
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.store import Store
from stabbench.runner.cells import measured
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources

# The most seeds that are named.
_NAMED = 10


@dataclass(frozen=True)
class Stored:
    """The measured runs of a plan.

    Attributes:
        recipes: Those of each recipe that has any, in the plan's order.
        missing: For each recipe that lacks runs the seeds of these.
    """

    recipes: Sequence[RecipeRuns]
    missing: dict[str, list[int]]

    @property
    def lacking(self) -> list[str]:
        """What is missing, in a sentence for each recipe."""
        return [f"not stored, and not on the page: {label}, {_listed(seeds)}" for label, seeds in self.missing.items()]


def _listed(seeds: Sequence[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds], _NAMED)}"


def find_stored(plan: Plan, resources: Resources) -> Stored:
    """The runs of a plan that a store has.

    Raises:
        StabbenchError: Bad input, there is no store, or it has none of them.
    """
    resolved = resolve(plan, resources)
    with Store(resources.store, write=False) as store:
        records = store.get(resolved.run_ids)
    known = measured(records)
    recipes, missing = [], {}
    for cell in resolved.cells:
        lacking = [seeds.seed for seeds in cell.without(known).seeds]
        if lacking:
            missing[cell.label] = lacking
        if found := [cell.as_planned(records[run_id]) for run_id in cell.run_ids if run_id in known]:
            recipes.append(RecipeRuns(cell.label, found, whole_steps=cell.whole_steps, store=resources.store))
    if not recipes:
        raise StabbenchError(
            f"the store {resources.store} has none of these runs",
            "the same words after `stabbench compare` train them; `stabbench list runs` shows what there is",
        )
    return Stored(recipes, missing)
