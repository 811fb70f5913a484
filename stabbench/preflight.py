"""What is found out before any training: whether recipes fit the model, and what scores will flatter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stabbench.cells import Prepared
from stabbench.models.source import ModelSource
from stabbench.plan import Plan
from stabbench.recipes import Recipe
from stabbench.records import Outcome, RunRecord
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
            check_model(question, lambda _: None)


def _is_stored(plan: Plan, ready: Prepared, store_folder: Path) -> bool:
    if not (store_folder / FILE).is_file():
        return False
    ids = [cell.made_of.run_id(seeds) for cell in ready.cells for seeds in plan.seeds]
    with Store(store_folder, write=False) as store:
        return all_measured(store.get(ids), ids)


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
