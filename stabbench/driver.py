"""Getting jobs done: into groups that fit, by an executor, again in smaller ones where that went wrong."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stabbench.cells import Cell, Prepared
from stabbench.engine.calls import check_model, memory_of, pace_of, run_job
from stabbench.engine.job import Job, Memory, Pace, Run
from stabbench.errors import StabbenchError
from stabbench.executors import Lost
from stabbench.groups import group_seeds, most_stacked
from stabbench.plan import Plan
from stabbench.preflight import Question, questions
from stabbench.seeds import Seeds
from stabbench.tasks import folder_for
from stabbench.watcher import Watcher
from stabbench.workers import find_workers

# Encoders that were trained on another task first, in the store's folder.
ENCODERS = "encoders"
# A worker may die for reasons that have nothing to do with the seed that it trains.
TRIES = 3
# What is smaller than this does not come near the limits of a machine's memory, stacked or not.
MEASURED_WEIGHTS_BYTES = 16 * 2**20


class Driver:
    """Knows the workers, what they can take, and what to do when one is lost.

    Args:
        plan: What is asked for.
        ready: What it names.
        store: The store's folder, which keeps the encoders that were trained on another task first.
        runs: How many runs there are to train: more workers than that are not needed.
        watcher: Told how it goes.

    Attributes:
        reason: Why the model is trained one seed at a time; empty where it is stacked.
        workers: The number of processes.
    """

    def __init__(self, plan: Plan, ready: Prepared, store: Path, runs: int, watcher: Watcher) -> None:
        self._plan, self._ready, self._watcher = plan, ready, watcher
        self._encoders = store.resolve() / ENCODERS
        found = find_workers(plan, ready, runs, watcher)
        self._executor, self.workers, self._sharing = found.executor, found.number, found.sharing
        self._memories: dict[str, Memory] = {}
        self.reason = ""

    def look(self) -> None:
        """Find out whether every recipe fits the model, and whether it can be stacked.

        Raises:
            StabbenchError: A recipe does not fit, or the model cannot be loaded.
        """
        tries: Counter[int] = Counter()

        def again(lost: Lost[Question]) -> list[Question]:
            outputs = lost.item[1]
            tries[outputs] += 1
            return [lost.item] if tries[outputs] < TRIES else []

        reasons = []
        # All answers, not the first reason: the recipes must fit with the outputs of every task.
        for answer in self._executor.map(check_model, questions(self._ready), self._watcher.tick, again):
            if isinstance(answer, Lost):
                raise StabbenchError(f"the model cannot be looked at: {answer.reason}, {TRIES} times")
            reasons.append(answer)
        self.reason = next(filter(None, reasons), "")
        if self.reason:
            self._watcher.note(f"model {self._ready.model.name!r} is trained one seed at a time: {self.reason}")

    def weights(self, run_id: str) -> Path:
        """Where the encoder of a run is kept."""
        return self._encoders / f"{run_id}.safetensors"

    def firsts(self, todo: Sequence[tuple[Cell, Sequence[Seeds]]]) -> dict[str, tuple[Cell, Seeds]]:
        """What must be trained before these cells, by the run whose encoder is not kept yet."""
        return {
            cell.encoder: cell.first
            for cell, _ in todo
            if cell.encoder and cell.first and not self.weights(cell.encoder).is_file()
        }

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
        for done in self._executor.map(
            run_job, jobs, self._watcher.tick, instead=lambda lost: self._parts(lost, tries)
        ):
            yield self._missing(done) if isinstance(done, Lost) else done

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

    def memories(self, cells: Sequence[Cell]) -> dict[str, Memory]:
        """What one seed of each cell takes, by the cell's identity."""
        unknown = [cell for cell in cells if cell.made_of.cell_id not in self._memories]
        one_seed = [self.job(cell, self._plan.seeds[:1]) for cell in unknown]
        for found in self._executor.map(memory_of, one_seed, lambda _: None):
            memory = found if isinstance(found, Memory) else _unknown(found)
            self._memories[memory.cell] = memory
        return self._memories

    def _most(self, cells: Sequence[Cell]) -> dict[str, int | None]:
        """How many seeds of each cell are trained together, at most."""
        device, weights = self._ready.device, self._ready.model.weights_bytes()
        most = {cell.made_of.cell_id: most_stacked(device, weights) for cell in cells}
        if device == "cuda" or weights >= MEASURED_WEIGHTS_BYTES:
            for cell_id, memory in self.memories(cells).items():
                free = None if memory.free is None else memory.free // self._sharing
                most[cell_id] = 1 if memory.reason else most_stacked(device, weights, memory.needed, free)
        return most

    def __enter__(self) -> Self:
        self._executor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)


def _unknown(lost: Lost[Job]) -> Memory:
    return Memory(lost.item.fingerprint.cell_id, None, None, lost.reason)
