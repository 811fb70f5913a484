"""Getting jobs done: into groups that fit, by an executor, again in smaller ones where that went wrong."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from stabbench.cells import Cell, Prepared
from stabbench.engine.calls import check_model, memory_of, pace_of, run_job
from stabbench.engine.job import Job, Run
from stabbench.errors import StabbenchError
from stabbench.executors import Executor, InProcess, Lost, ProcessPool
from stabbench.fingerprint import why_not_here
from stabbench.groups import group_seeds, most_stacked
from stabbench.machine import available_memory, cores, gpus
from stabbench.plan import Plan
from stabbench.preflight import questions
from stabbench.seeds import Seeds
from stabbench.tasks import folder_for
from stabbench.watcher import Watcher

if TYPE_CHECKING:
    from stabbench.engine.trial import Memory, Pace

# What a worker needs for its first job; a second or more of imports.
ENGINE = "stabbench.engine.trial"
# A worker may die for reasons that have nothing to do with the seed that it trains.
TRIES = 3
# What is smaller than this does not come near the limits of a machine's memory, stacked or not.
MEASURED_WEIGHTS_BYTES = 16 * 2**20


class Driver:
    """Knows the workers, what they can take, and what to do when one is lost.

    Args:
        plan: What is asked for.
        ready: What it names.
        encoders: The folder of encoders that were trained on another task first.
        runs: How many runs there are to train: more workers than that are not needed.
        watcher: Told how it goes.

    Attributes:
        reason: Why the model is trained one seed at a time; empty where it is stacked.
        workers: The number of processes.
    """

    def __init__(self, plan: Plan, ready: Prepared, encoders: Path, runs: int, watcher: Watcher) -> None:
        self._plan, self._ready, self._encoders, self._watcher = plan, ready, encoders.resolve(), watcher
        self._runs = runs
        # Groups that share the memory of one device.
        self._sharing = 1
        self._executor = self._of_cluster() if plan.executor == "ray" else self._local()
        self.reason = ""

    def look(self) -> None:
        """Find out whether every recipe fits the model, and whether it can be stacked.

        Raises:
            StabbenchError: A recipe does not fit, or the model cannot be loaded.
        """
        asked = questions(self._ready)
        answers: list[str] = []
        for _ in range(TRIES):
            lost = []
            # All answers, not the first reason: the recipes must fit with the outputs of every task.
            for answer in self._executor.map(check_model, asked, self._watcher.tick):
                if isinstance(answer, Lost):
                    lost.append(answer)
                else:
                    answers.append(answer)
            if not lost:
                break
            asked = [each.item for each in lost]
        else:
            raise StabbenchError(f"the model cannot be looked at: {lost[0].reason}, {TRIES} times")
        self.reason = next(filter(None, answers), "")
        if self.reason:
            self._watcher.note(f"model {self._ready.model.name!r} is trained one seed at a time: {self.reason}")

    def weights(self, run_id: str) -> Path:
        """Where the encoder of a run is kept."""
        return self._encoders / f"{run_id}.safetensors"

    def job(self, cell: Cell, seeds: Sequence[Seeds], keep: Path | None = None) -> Job:
        """A job of that cell."""
        data_dir = folder_for(cell.task.name, self._plan.data_dir)
        return Job(
            recipe=cell.recipe,
            label=cell.label,
            task=cell.task.name,
            data_dir=data_dir and data_dir.resolve(),  # a worker's own folder may be another one
            model=self._ready.model,
            seeds=tuple(seeds),
            stacked=not self.reason,
            device=self._ready.device,
            max_steps=self._plan.max_steps,
            fingerprint=cell.made_of,
            start=self.weights(cell.encoder) if cell.encoder else None,
            keep=keep,
        )

    def groups(self, todo: Sequence[tuple[Cell, Sequence[Seeds]]]) -> list[Job]:
        """The seeds of every cell in groups of the size that was asked for, or that pays and fits."""
        # The longest first, so that no worker waits for the last one.
        order = sorted(todo, key=lambda item: -item[0].steps * len(item[1]))
        stack = 1 if self.reason else self._plan.stack
        most = {} if stack else self._most([cell for cell, _ in order])
        return [
            self.job(cell, group)
            for cell, seeds in order
            for group in group_seeds(seeds, stack, self.workers, most.get(cell.made_of.cell_id))
        ]

    def run(self, jobs: Sequence[Job]) -> Iterator[list[Run]]:
        """The runs of all jobs, group by group as they are done.

        A group that is lost is cut in half and sent again: what a seed gives does not depend on its neighbours. A
        single seed is tried several times before its run is given up as missing.
        """
        tries: Counter[str] = Counter()
        while jobs:
            again: list[Job] = []
            for done in self._executor.map(run_job, jobs, self._watcher.tick):
                if not isinstance(done, Lost):
                    yield done
                elif parts := self._parts(done, tries):
                    again += parts
                else:
                    yield self._missing(done)
            jobs = again

    def _parts(self, lost: Lost[Job], tries: Counter[str]) -> list[Job]:
        seeds = lost.item.seeds
        what = f"{lost.item.label}, seeds {', '.join(str(s.seed) for s in seeds)}: {lost.reason}"
        if len(seeds) > 1:
            half = -(-len(seeds) // 2)
            self._watcher.note(f"{what}; again with {half} seeds at a time")
            return [dataclasses.replace(lost.item, seeds=part) for part in (seeds[:half], seeds[half:])]
        run_id = lost.item.fingerprint.run_id(seeds[0])
        tries[run_id] += 1
        if tries[run_id] == TRIES:
            return []
        self._watcher.note(f"{what}; again")
        return [lost.item]

    def _missing(self, lost: Lost[Job]) -> list[Run]:
        from stabbench.engine.results import missing
        from stabbench.engine.run import job_task

        reason = f"{lost.reason}, {TRIES} times"
        return [missing(lost.item, job_task(lost.item), seeds, reason, 0.0) for seeds in lost.item.seeds]

    def paces(self, jobs: Sequence[Job]) -> list[Pace]:
        """How fast jobs go, side by side; without those that are lost."""
        return [p for p in self._executor.map(pace_of, jobs, lambda _: None) if not isinstance(p, Lost)]

    def memories(self, cells: Sequence[Cell]) -> dict[str, Memory | None]:
        """What one seed of each cell takes, by the cell's identity; None where not even that fits."""
        found: dict[str, Memory | None] = {cell.made_of.cell_id: None for cell in cells}
        one_seed = [self.job(cell, self._plan.seeds[:1]) for cell in cells]
        measured = self._executor.map(memory_of, one_seed, lambda _: None)
        return found | {memory.cell: memory for memory in measured if not isinstance(memory, Lost)}

    def _most(self, cells: Sequence[Cell]) -> dict[str, int | None]:
        """How many seeds of each cell are trained together, at most."""
        device, weights = self._ready.device, self._ready.model.weights_bytes()
        if device == "cpu" and weights < MEASURED_WEIGHTS_BYTES:
            return {cell.made_of.cell_id: most_stacked(device, weights) for cell in cells}
        return {
            cell_id: most_stacked(device, weights, memory.needed, memory.free and memory.free // self._sharing)
            if memory
            else 1
            for cell_id, memory in self.memories(cells).items()
        }

    def _local(self) -> Executor:
        devices = gpus() if self._ready.device == "cuda" else []
        usual = len(devices) or _workers(self._ready.model.weights_bytes())
        self.workers = min(self._runs, self._plan.workers or usual)
        self._sharing = -(-self.workers // max(1, len(devices)))
        if self.workers == 1:
            return InProcess()
        try:
            return ProcessPool(self.workers, self._plan.plugins, [ENGINE], devices)
        except OSError as error:
            self._watcher.note(f"no pool of processes can be made here ({error}): one process does it all")
            self.workers = 1
            return InProcess()

    def _of_cluster(self) -> Executor:
        from stabbench.executors import RayCluster

        plan, ready = self._plan, self._ready
        check = partial(why_not_here, ready.environment)
        cluster = RayCluster(plan.ray_address, plan.workers, ready.device, plan.plugins, check, self._watcher.note)
        self.workers = min(self._runs, cluster.workers)
        if ready.device == "cpu":
            self._sharing = cores()  # a worker on every core, of machines that are like this one
        return cluster

    def __enter__(self) -> Self:
        self._executor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)


def _workers(weights_bytes: int) -> int:
    """One a core, as far as memory allows: weights, a copy, gradients, two moments, and as much for activations."""
    free = available_memory()
    return cores() if free is None else max(1, min(cores(), free // (10 * max(1, weights_bytes))))
