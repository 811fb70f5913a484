"""Running a plan: which runs are stored already, and the rest to an executor, in groups."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stabbench.claims import claimed
from stabbench.errors import RecipeError, StabbenchError
from stabbench.executors import Executor, InProcess, ProcessPool
from stabbench.fingerprint import fingerprint
from stabbench.models.families import defaults_of
from stabbench.models.source import ModelSource, find_model
from stabbench.plan import Plan, group_seeds
from stabbench.recipes import Recipe, planned_steps
from stabbench.records import Fingerprint, Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import Store
from stabbench.tasks import Task, load_task


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


@dataclass(frozen=True)
class _Cell:
    """One recipe of the plan, on its model and task."""

    label: str
    recipe: Recipe  # with its family's defaults filled in
    made_of: Fingerprint


@dataclass(frozen=True)
class _Prepared:
    """A plan with everything found that it names."""

    model: ModelSource
    task: Task
    device: str
    cells: Sequence[_Cell]


def fingerprints(plan: Plan) -> dict[str, Fingerprint]:
    """For each recipe's label what its runs would be made of; nothing is trained.

    Raises:
        StabbenchError: Bad input.
    """
    return {cell.label: cell.made_of for cell in _prepare(plan).cells}


def execute(plan: Plan, store_folder: Path, watcher: Watcher | None = None) -> Execution:
    """Run what is not stored yet, and give back everything.

    Raises:
        StabbenchError: Bad input; what was measured is stored all the same.
    """
    watcher = watcher or Watcher()
    ready = _prepare(plan)
    wanted = {cell.label: [cell.made_of.run_id(s) for s in plan.seeds] for cell in ready.cells}
    every_id = [run_id for ids in wanted.values() for run_id in ids]

    with Store(store_folder) as store:
        records = store.get(every_id)
        if not _all_measured(records, every_id):
            names = [cell.made_of.cell_id for cell in ready.cells]
            with claimed(store_folder, names, lambda: watcher.note("another process trains the same: waiting for it")):
                records = store.get(every_id)
                if not _all_measured(records, every_id):
                    measured = {i for i, record in records.items() if record.outcome is not Outcome.MISSING}
                    todo = [
                        (cell, [s for s, i in zip(plan.seeds, wanted[cell.label], strict=True) if i not in measured])
                        for cell in ready.cells
                    ]
                    _train(plan, ready, todo, store, watcher)
                    records = store.get(every_id)
    return Execution(ready.task, plan.model, {label: [records[i] for i in ids] for label, ids in wanted.items()})


def _prepare(plan: Plan) -> _Prepared:
    model = find_model(plan.model, plan.revision, allow_pickle=plan.allow_pickle)
    task = load_task(plan.task, plan.data_dir)
    device = _device(plan.device)
    digest = model.digest()
    cells: list[_Cell] = []
    for recipe in plan.recipes:
        resolved = recipe.resolved(defaults_of(model.family))
        # A limit that cuts nothing off is no part of the run's identity.
        whole = planned_steps(resolved, len(task.train), None)
        cut = plan.max_steps if plan.max_steps is not None and plan.max_steps < whole else None
        made_of = fingerprint(resolved, task, digest, model.lr_multiplier, device, cut)
        same = next((cell.label for cell in cells if cell.made_of == made_of), None)
        if same is not None:
            raise RecipeError(f"recipes {same!r} and {recipe.label!r} are the same on this model")
        cells.append(_Cell(recipe.label, resolved, made_of))
    return _Prepared(model, task, device, cells)


def _all_measured(records: Mapping[str, RunRecord], ids: Sequence[str]) -> bool:
    return all(i in records and records[i].outcome is not Outcome.MISSING for i in ids)


def _train(
    plan: Plan, ready: _Prepared, todo: Sequence[tuple[_Cell, Sequence[Seeds]]], store: Store, watcher: Watcher
) -> None:
    from stabbench.engine.job import Job, check_model, run_job

    model, task, device = ready.model, ready.task, ready.device
    runs = sum(len(seeds) for _, seeds in todo)
    steps = {cell.label: planned_steps(cell.recipe, len(task.train), plan.max_steps) for cell, _ in todo}
    stored = len(plan.recipes) * len(plan.seeds) - runs
    watcher.planned(stored, runs, sum(steps[cell.label] * len(seeds) for cell, seeds in todo))
    workers = plan.workers or (_workers(model.weights_bytes()) if device == "cpu" else 1)
    with _executor(min(workers, runs), plan.plugins, watcher) as executor:
        asked = (model, task.outputs, [cell.recipe for cell, _ in todo])
        (reason,) = executor.map(check_model, [asked], watcher.tick)
        if reason:
            watcher.note(f"model {model.name!r} is trained one seed at a time: {reason}")
        jobs = [
            Job(
                recipe=cell.recipe,
                label=cell.label,
                task=plan.task,
                data_dir=plan.data_dir,
                model=model,
                seeds=tuple(group),
                stacked=not reason,
                device=device,
                max_steps=plan.max_steps,
                fingerprint=cell.made_of,
            )
            # The longest first, so that no core waits for the last one.
            for cell, seeds in sorted(todo, key=lambda item: -steps[item[0].label] * len(item[1]))
            for group in group_seeds(seeds, 1 if reason else plan.stack, workers, model.weights_bytes())
        ]
        for results in executor.map(run_job, jobs, watcher.tick):
            for record, history in results:
                store.put(record, history)
            watcher.finished([record for record, _ in results])


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


def _device(device: str) -> str:
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise StabbenchError("no GPU: torch.cuda.is_available() is false", "leave out --device, or give --device cpu")
    return "cpu"
