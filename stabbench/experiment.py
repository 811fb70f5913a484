"""Running a plan: which runs are stored already, and the rest to an executor, in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stabbench.cells import Cell, Prepared, prepare
from stabbench.claims import claimed
from stabbench.driver import Driver
from stabbench.errors import StabbenchError
from stabbench.plan import Plan
from stabbench.preflight import flattering, lacking, run_ids
from stabbench.records import Fingerprint, Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import Store
from stabbench.tasks import Task
from stabbench.watcher import Watcher


@dataclass(frozen=True)
class Execution:
    """Everything that a plan asked for, as stored.

    Attributes:
        task: The task with its data.
        model: The model as the user named it.
        runs: For each recipe's label its records, in the order of the plan's seeds.
    """

    task: Task
    model: str
    runs: dict[str, list[RunRecord]]

    def check_complete(self) -> Self:
        """This, if no run is missing.

        Raises:
            StabbenchError: Runs ended as ``missing``; what was measured is stored all the same.
        """
        records = [record for runs in self.runs.values() for record in runs]
        missing = [record for record in records if record.outcome is Outcome.MISSING]
        if missing:
            raise StabbenchError(
                f"{len(missing)} of {len(records)} runs are missing: {missing[0].reason}",
                "what was measured is stored; the same command tries the rest again "
                "(a smaller --stack needs less memory)",
            )
        return self


def fingerprints(plan: Plan) -> dict[str, Fingerprint]:
    """For each recipe's label what its runs would be made of; nothing is trained.

    Raises:
        StabbenchError: Bad input.
    """
    return {cell.label: cell.made_of for cell in prepare(plan).cells}


def execute(plan: Plan, store_folder: Path, watcher: Watcher | None = None, ready: Prepared | None = None) -> Execution:
    """Run what is not stored yet, and give back everything.

    Args:
        plan: What is asked for.
        store_folder: The folder of the run store.
        watcher: Told how it goes.
        ready: What :func:`stabbench.cells.prepare` gave for ``plan``, if that was done already.

    Raises:
        StabbenchError: Bad input; what was measured is stored all the same.
    """
    watcher = watcher or Watcher()
    ready = ready or prepare(plan)
    if warning := flattering(ready):
        watcher.note(warning)
    wanted = run_ids(plan, ready)
    every_id = [run_id for ids in wanted for run_id in ids]

    with Store(store_folder) as store:
        records = store.get(every_id)
        if lacking(plan, ready, wanted, records):
            names = [cell.made_of.cell_id for cell in ready.cells]
            names += [cell.first[0].made_of.cell_id for cell in ready.cells if cell.first]
            with claimed(store_folder, names, lambda: watcher.note("another process trains the same: waiting for it")):
                # Again, as that other process may have trained them meanwhile.
                if todo := lacking(plan, ready, wanted, store.get(every_id)):
                    _train(plan, ready, todo, store, watcher)
            records = store.get(every_id)
    runs = {cell.label: [records[i] for i in ids] for cell, ids in zip(ready.cells, wanted, strict=True)}
    return Execution(ready.task, plan.model, runs)


def _train(
    plan: Plan, ready: Prepared, todo: Sequence[tuple[Cell, Sequence[Seeds]]], store: Store, watcher: Watcher
) -> None:
    runs = sum(len(seeds) for _, seeds in todo)
    with Driver(plan, ready, store.path.parent, runs, watcher) as driver:
        firsts = driver.firsts(todo)
        steps = sum(cell.steps * len(seeds) for cell, seeds in todo) + sum(cell.steps for cell, _ in firsts.values())
        watcher.planned(len(plan.recipes) * len(plan.seeds) - runs, runs, steps)
        driver.look()
        before = [driver.job(cell, [seeds], driver.weights(name)) for name, (cell, seeds) in firsts.items()]
        for ((record, history),) in driver.run(before):
            store.put(record, history)
            _check_intermediate(record, watcher)
        for results in driver.run(driver.groups(todo)):
            store.put_all(results)
            watcher.finished([record for record, _ in results])


def _check_intermediate(record: RunRecord, watcher: Watcher) -> None:
    what = f"intermediate training on {record.task}, {record.steps:,} steps"
    if record.outcome is Outcome.MISSING:
        raise StabbenchError(f"the {what}, is missing: {record.reason}", "the same command tries it again")
    failed = "; it failed, and so may what starts from its encoder" if record.outcome is Outcome.FAILED else ""
    score = "-" if record.score is None else f"{record.score:.3f}"
    watcher.note(f"{what}: {record.metric} {score}{failed}")
