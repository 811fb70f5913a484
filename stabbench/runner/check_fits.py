"""Checks before any training: do recipes fit the model, and will a score be biased by its selection?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.engine.job import ModelCheck
from stabbench.errors import StabbenchError
from stabbench.records.run import RunRecord
from stabbench.records.store import FILE, Store
from stabbench.runner.cells import AnyCell, Resolved, ResolvedRecipes


def check_fits(plans: Sequence[ResolvedRecipes], store: Path) -> None:
    """Find out whether the recipes of several plans, run one after the other, fit their models.

    The first plan that has something to train finds out by itself before it trains, so only the others are checked
    here. Nothing is done where all runs are stored already.

    Raises:
        StabbenchError: One does not fit.
    """
    to_train = [resolved for resolved in plans if missing_runs(resolved, store)]
    if len(to_train) < 2:
        return
    known = model_checks(to_train[0])
    for resolved, check in ((r, check) for r in to_train[1:] for check in model_checks(r)):
        if check not in known:
            known.append(check)
            try:
                resolved.trainer.check(check, lambda _: None)
            except MemoryError as error:
                raise StabbenchError(
                    f"model {check.model.name!r} cannot be checked: {error}",
                    "free some memory, or take a smaller model",
                ) from error


def missing_runs(resolved: Resolved[AnyCell], store: Path) -> list[AnyCell]:
    """The cells with the runs that a store lacks: all of them, where there is no store."""
    return resolved.missing_from(stored(store, resolved.run_ids))


def stored(store: Path, run_ids: Sequence[str]) -> dict[str, RunRecord]:
    """The stored records among ``run_ids``; there need be no store."""
    if not (store / FILE).is_file():
        return {}
    with Store(store, write=False) as opened:
        return opened.get(run_ids)


def model_checks(resolved: ResolvedRecipes) -> list[ModelCheck]:
    """What to find out about the model: for each task, that of an intermediate training too, with its recipes."""
    cells = resolved.all_cells()
    checks = []
    for source, task in {cell.task.digest: (cell.source, cell.task) for cell in cells}.values():
        recipes = tuple((cell.recipe, cell.whole_steps) for cell in cells if cell.task.digest == task.digest)
        checks.append(ModelCheck(resolved.model, source, task.digest, recipes))
    return checks


def selection_warning(resolved: ResolvedRecipes) -> str:
    """A warning that keep=best without a validation set reports a biased score; empty where it does not."""
    labels = [cell.label for cell in resolved.cells if cell.recipe.keep == "best" and cell.recipe.evaluations > 1]
    if not labels or resolved.task.validation is not None:
        return ""
    return (
        f"{', '.join(labels)}: task {resolved.task.name!r} has no validation set, so the best evaluation is chosen by "
        "the score that is reported, which flatters (the task's option split=zhang2021 splits a validation set off)"
    )
