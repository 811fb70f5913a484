"""The Python interface: what the commands do, as functions."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stabbench.comparison import Comparison, RecipeRuns
from stabbench.errors import RecipeError
from stabbench.experiment import execute
from stabbench.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_STORE, DEFAULT_TASK, Plan
from stabbench.recipes import Recipe, parse_recipe
from stabbench.seeds import Seeds
from stabbench.watcher import Watcher


def compare(
    recipes: Sequence[str | Recipe],
    *,
    task: str = DEFAULT_TASK,
    model: str = DEFAULT_MODEL,
    seeds: int | Sequence[int | Seeds] = DEFAULT_SEEDS,
    store: str | Path = DEFAULT_STORE,
    workers: int | None = 1,
    watcher: Watcher | None = None,
    **options: Any,
) -> Comparison:
    """Train recipes over seeds, or take what the store has, and put them side by side.

    Args:
        recipes: Names such as ``"devlin"`` or ``"devlin:lr=3e-5"``, or :class:`stabbench.Recipe` objects; the first is
            the reference of the tests.
        task: Such as ``"lab/entailment"`` or ``"glue/rte"``.
        model: ``"lab"``, a local folder or a hub id.
        seeds: Their number (0 to n - 1), or a list.
        store: The folder of the run store.
        workers: Processes. More than one need a script whose main part is guarded by ``if __name__ == "__main__"``, and
            recipes that other processes can import.
        watcher: Told how the training goes.
        options: Further fields of :class:`stabbench.plan.Plan`: ``revision``, ``data_dir``, ``stack``,
            ``max_steps``, ``device``, ``allow_pickle``.

    Raises:
        StabbenchError: Bad input; nothing stored is lost.
    """
    if isinstance(recipes, str) or not recipes:
        raise RecipeError("no recipes", 'give a list: stabbench.compare(["devlin", "mosbach"])')
    plan = Plan(
        recipes=[parse_recipe(r) if isinstance(r, str) else r for r in recipes],
        task=task,
        model=model,
        seeds=seed_list(seeds),
        workers=workers,
        **options,
    )
    return run_plan(plan, Path(store), watcher)


def seed_list(seeds: int | Sequence[int | Seeds]) -> list[Seeds]:
    """``3`` as the seeds 0, 1, 2; a list as it is."""
    numbers = range(seeds) if isinstance(seeds, int) else seeds
    return [s if isinstance(s, Seeds) else Seeds.of(operator.index(s)) for s in numbers]


def run_plan(plan: Plan, store: Path, watcher: Watcher | None = None) -> Comparison:
    """Execute a plan and compare its recipes.

    Raises:
        StabbenchError: Bad input, or runs that ended as ``missing``.
    """
    done = execute(plan, store, watcher).check_complete()
    return Comparison(
        task=done.task.name,
        model=done.model,
        metric=done.task.metric,
        constant_score=done.task.constant_score,
        recipes=[RecipeRuns(label, records) for label, records in done.runs.items()],
    )
