"""Which runs of a store are asked about: by recipe, by run, or all that failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import StoreError
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.setting import NO_TASK, TRAINING_TASK
from stabbench.records.store import Store


@dataclass(frozen=True)
class Chosen:
    """Runs of one cell that are asked about.

    Attributes:
        runs: All runs of the cell, to compare with.
        asked: Those in question.
    """

    runs: RecipeRuns
    asked: Sequence[RunRecord]


def chosen(
    store: Path,
    names: Sequence[str],
    *,
    task: str | None = None,
    every: bool = False,
    label_of: Callable[[str, Collection[str]], str] = lambda name, _: name,
) -> list[Chosen]:
    """The runs that ``names`` ask about, by cell.

    Args:
        store: The folder of the store.
        names: Labels of recipes, or the beginnings of run ids; none asks about all runs.
        task: Only runs on this task.
        every: Successful runs, too; a run that is named by its id is taken in any case.
        label_of: From what a user names, such as a training file, and the labels of the store to a label.

    Raises:
        StoreError: A name is neither, or the store cannot be read.
    """
    with Store(store, write=False) as opened:
        stored = list(opened.records())
    records = [record for record in stored if task in (None, record.task)]
    labels = {record.recipe for record in records}
    names = [label_of(name, labels) for name in names]
    by_id = {name: _with_id(records, name) for name in names if name not in labels}
    for name, found in by_id.items():
        if not found:
            own = any((record.recipe, record.task) == (name, TRAINING_TASK) for record in stored)
            hint = NO_TASK if own else "see: stabbench list runs"
            raise StoreError(f"{store} has no run and no recipe {name!r}" + (f" on {task}" if task else ""), hint)
    named = {record.id for found in by_id.values() for record in found}
    cells: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        cells.setdefault((record.fingerprint.cell_id, record.recipe), []).append(record)
    result = []
    for (_, label), runs in cells.items():
        of_recipe = not names or label in names
        asked = [r for r in runs if r.id in named or (of_recipe and (every or r.outcome is Outcome.FAILED))]
        if asked or of_recipe:
            result.append(Chosen(RecipeRuns(label, runs, store=store), asked))
    return result


def _with_id(records: Sequence[RunRecord], beginning: str) -> list[RunRecord]:
    return [record for record in records if beginning and record.id.startswith(beginning)]
