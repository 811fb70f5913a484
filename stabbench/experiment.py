"""Running a plan: which runs are stored already, and the rest to an executor, in groups."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stabbench.cells import Cell, Prepared, prepare
from stabbench.claims import claimed
from stabbench.errors import StabbenchError
from stabbench.executors import Executor, InProcess, ProcessPool
from stabbench.plan import Plan, group_seeds
from stabbench.preflight import all_measured, flattering, questions
from stabbench.records import Fingerprint, Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import Store
from stabbench.tasks import Task, folder_for


class Watcher:
    """Told how an execution goes; this one keeps quiet."""

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        """How many runs are stored already, how many will be trained, and their seed-steps in all."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def tick(self, steps: int) -> None:
        """So many seed-steps were made."""

    def finished(self, records: Sequence[RunRecord]) -> None:
        """A group of runs of one recipe is done and stored."""


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


# Encoders that were trained on another task first, in the store's folder.
ENCODERS = "encoders"


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
    wanted = {cell.label: [cell.made_of.run_id(s) for s in plan.seeds] for cell in ready.cells}
    every_id = [run_id for ids in wanted.values() for run_id in ids]

    with Store(store_folder) as store:
        records = store.get(every_id)
        if not all_measured(records, every_id):
            names = [cell.made_of.cell_id for cell in ready.cells]
            names += [cell.first[0].made_of.cell_id for cell in ready.cells if cell.first]
            with claimed(store_folder, names, lambda: watcher.note("another process trains the same: waiting for it")):
                records = store.get(every_id)
                if not all_measured(records, every_id):
                    measured = {i for i, record in records.items() if record.outcome is not Outcome.MISSING}
                    todo = [
                        (cell, [s for s, i in zip(plan.seeds, wanted[cell.label], strict=True) if i not in measured])
                        for cell in ready.cells
                    ]
                    _train(plan, ready, todo, store, watcher)
                    records = store.get(every_id)
    return Execution(ready.task, plan.model, {label: [records[i] for i in ids] for label, ids in wanted.items()})


def _train(
    plan: Plan, ready: Prepared, todo: Sequence[tuple[Cell, Sequence[Seeds]]], store: Store, watcher: Watcher
) -> None:
    from stabbench.engine.job import Job
    from stabbench.engine.run import check_model, run_job

    model = ready.model
    encoders = store.path.parent / ENCODERS
    firsts = {
        cell.encoder: cell.first
        for cell, seeds in todo
        if seeds and cell.encoder and cell.first and not _weights(encoders, cell.encoder).is_file()
    }
    runs = sum(len(seeds) for _, seeds in todo)
    steps = sum(cell.steps * len(seeds) for cell, seeds in todo) + sum(cell.steps for cell, _ in firsts.values())
    watcher.planned(len(plan.recipes) * len(plan.seeds) - runs, runs, steps)
    workers = plan.workers or (_workers(model.weights_bytes()) if ready.device == "cpu" else 1)
    with _executor(min(workers, runs), plan.plugins, watcher) as executor:
        # All answers, not the first reason: the recipes must fit with the outputs of every task.
        reason = next(filter(None, list(executor.map(check_model, questions(ready), watcher.tick))), "")
        if reason:
            watcher.note(f"model {model.name!r} is trained one seed at a time: {reason}")

        def job(cell: Cell, seeds: Sequence[Seeds], keep: Path | None = None) -> Job:
            return Job(
                recipe=cell.recipe,
                label=cell.label,
                task=cell.task.name,
                data_dir=folder_for(cell.task.name, plan.data_dir),
                model=model,
                seeds=tuple(seeds),
                stacked=not reason,
                device=ready.device,
                max_steps=plan.max_steps,
                fingerprint=cell.made_of,
                start=_weights(encoders, cell.encoder) if cell.encoder else None,
                keep=keep,
            )

        before = [job(cell, [seeds], _weights(encoders, name)) for name, (cell, seeds) in firsts.items()]
        for ((record, history),) in executor.map(run_job, before, watcher.tick):
            store.put(record, history)
            _check_intermediate(record, watcher)
        jobs = [
            job(cell, group)
            # The longest first, so that no core waits for the last one.
            for cell, seeds in sorted(todo, key=lambda item: -item[0].steps * len(item[1]))
            for group in group_seeds(seeds, 1 if reason else plan.stack, workers, model.weights_bytes())
        ]
        for results in executor.map(run_job, jobs, watcher.tick):
            for record, history in results:
                store.put(record, history)
            watcher.finished([record for record, _ in results])


def _weights(encoders: Path, run_id: str) -> Path:
    return encoders / f"{run_id}.safetensors"


def _check_intermediate(record: RunRecord, watcher: Watcher) -> None:
    what = f"intermediate training on {record.task}, {record.steps:,} steps"
    if record.outcome is Outcome.MISSING:
        raise StabbenchError(f"the {what}, is missing: {record.reason}", "the same command tries it again")
    failed = "; it failed, and so may what starts from its encoder" if record.outcome is Outcome.FAILED else ""
    score = "-" if record.score is None else f"{record.score:.3f}"
    watcher.note(f"{what}: {record.metric} {score}{failed}")


def _executor(workers: int, plugins: Sequence[str], watcher: Watcher) -> Executor:
    if workers == 1:
        return InProcess()
    try:
        return ProcessPool(workers, plugins)
    except OSError as error:
        watcher.note(f"no pool of processes can be made here ({error}): one process does it all")
        return InProcess()


def _workers(weights_bytes: int) -> int:
    """One a core, as far as memory allows: weights, a copy, gradients, two moments, and as much for activations."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return cores
    return max(1, min(cores, free // (10 * max(1, weights_bytes))))
