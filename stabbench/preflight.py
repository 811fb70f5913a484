"""What is found out before any training: whether recipes fit the model, and what scores will flatter."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stabbench.cells import Cell, Prepared
from stabbench.models.source import ModelSource
from stabbench.plan import Plan
from stabbench.recipes import Recipe
from stabbench.records import Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import FILE, Store

# A model, a number of outputs, and recipes with their steps of a whole training.
Question = tuple[ModelSource, int, Sequence[tuple[Recipe, int]]]


def check_fits(plans: Iterable[tuple[Plan, Prepared]], store_folder: Path) -> None:
    """Find out whether the recipes of several plans, run one after the other, fit their models.

    The first plan that has something to train finds out by itself, before it trains; so it is the others that are
    looked at here. Nothing is done where all runs are stored already.

    Raises:
        StabbenchError: One does not.
    """
    to_train = [ready for plan, ready in plans if lacking_in(store_folder, plan, ready)]
    if len(to_train) < 2:
        return
    from stabbench.engine.run import check_model

    asked = questions(to_train[0])
    for question in itertools.chain.from_iterable(map(questions, to_train[1:])):
        if question not in asked:
            asked.append(question)
            check_model(*question)


def lacking_in(store_folder: Path, plan: Plan, ready: Prepared) -> list[tuple[Cell, list[Seeds]]]:
    """As :func:`lacking`: everything, where there is no store."""
    wanted = run_ids(plan, ready)
    if not (store_folder / FILE).is_file():
        return lacking(plan, ready, wanted, {})
    with Store(store_folder, write=False) as store:
        return lacking(plan, ready, wanted, store.get(list(itertools.chain.from_iterable(wanted))))


def run_ids(plan: Plan, ready: Prepared) -> list[list[str]]:
    """The identities of a plan's runs: for each cell those of the seeds. There may be thousands, so ask once."""
    return [[cell.made_of.run_id(seeds) for seeds in plan.seeds] for cell in ready.cells]


def lacking(
    plan: Plan, ready: Prepared, wanted: Sequence[Sequence[str]], records: Mapping[str, RunRecord]
) -> list[tuple[Cell, list[Seeds]]]:
    """The cells of a plan, each with its seeds, that have no measured run of these identities among ``records``."""
    measured = {run_id for run_id, record in records.items() if record.outcome is not Outcome.MISSING}
    todo = []
    for cell, ids in zip(ready.cells, wanted, strict=True):
        if seeds := [s for s, run_id in zip(plan.seeds, ids, strict=True) if run_id not in measured]:
            todo.append((cell, seeds))
    return todo


def questions(ready: Prepared) -> list[Question]:
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
