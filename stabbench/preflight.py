"""What is found out before any training: whether recipes fit the model, and what scores will flatter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path

from stabbench.cells import Cell, Prepared
from stabbench.models.source import ModelSource
from stabbench.plan import Plan
from stabbench.recipes import Recipe
from stabbench.records import Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import FILE, Store


def check_fits(plans: Iterable[tuple[Plan, Prepared]], store_folder: Path) -> None:
    """Find out whether the recipes of several plans, run one after the other, fit their models.

    The first plan that has something to train finds out by itself, before it trains; so it is the others that are
    looked at here. Nothing is done where all runs are stored already.

    Raises:
        StabbenchError: One does not.
    """
    to_train = [ready for plan, ready in plans if not _is_stored(plan, ready, store_folder)]
    if len(to_train) < 2:
        return
    from stabbench.engine.run import check_model

    asked = questions(to_train[0])
    for question in itertools.chain.from_iterable(map(questions, to_train[1:])):
        if question not in asked:
            asked.append(question)
            check_model(*question)


def _is_stored(plan: Plan, ready: Prepared, store_folder: Path) -> bool:
    return not any(seeds for _, seeds in lacking(plan, ready, stored(plan, ready, store_folder)))


def stored(plan: Plan, ready: Prepared, store_folder: Path) -> dict[str, RunRecord]:
    """What the store has of a plan's runs; nothing, where there is no store."""
    if not (store_folder / FILE).is_file():
        return {}
    with Store(store_folder, write=False) as store:
        return store.get([cell.made_of.run_id(seeds) for cell in ready.cells for seeds in plan.seeds])


def lacking(plan: Plan, ready: Prepared, records: Mapping[str, RunRecord]) -> list[tuple[Cell, list[Seeds]]]:
    """Every cell of a plan with the seeds that have no measured run among ``records``."""
    measured = {run_id for run_id, record in records.items() if record.outcome is not Outcome.MISSING}
    return [(c, [s for s in plan.seeds if c.made_of.run_id(s) not in measured]) for c in ready.cells]


def questions(ready: Prepared) -> list[tuple[ModelSource, int, list[tuple[Recipe, int]]]]:
    """What to ask about the model: with the outputs of each task, the recipes and their steps of a whole training."""
    asked: dict[int, list[tuple[Recipe, int]]] = {}
    for cell in (*ready.cells, *(cell.first[0] for cell in ready.cells if cell.first)):
        asked.setdefault(cell.task.outputs, []).append((cell.recipe, cell.whole_steps))
    return [(ready.model, outputs, recipes) for outputs, recipes in asked.items()]


def flattering(ready: Prepared) -> str:
    """A warning of scores that flatter; empty where none does."""
    labels = [cell.label for cell in ready.cells if cell.recipe.keep == "best" and cell.recipe.evaluations > 1]
    if not labels or ready.task.validation is not None:
        return ""
    return (
        f"{', '.join(labels)}: task {ready.task.name!r} has no validation set, so the best evaluation is chosen by the "
        "score that is reported, which flatters (the task's option split=zhang2021 splits a validation set off)"
    )
