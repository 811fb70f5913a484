"""What is found out before any training: whether recipes fit the model, and what scores will flatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stabbench.cells import Prepared
from stabbench.models.source import ModelSource
from stabbench.plan import Plan
from stabbench.recipes import Recipe
from stabbench.records import Outcome, RunRecord
from stabbench.store import FILE, Store


def check_fits(plan: Plan, ready: Prepared, store_folder: Path) -> None:
    """Find out whether every recipe fits the model; nothing is done where all runs are stored already.

    Raises:
        StabbenchError: One does not.
    """
    ids = [cell.made_of.run_id(seeds) for cell in ready.cells for seeds in plan.seeds]
    if (store_folder / FILE).is_file():
        with Store(store_folder, write=False) as store:
            if all_measured(store.get(ids), ids):
                return
    from stabbench.engine.run import check_model

    for question in questions(ready):
        check_model(question, lambda _: None)


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


def all_measured(records: Mapping[str, RunRecord], ids: Sequence[str]) -> bool:
    """Whether each of ``ids`` has a record, and is not missing."""
    return all(i in records and records[i].outcome is not Outcome.MISSING for i in ids)
