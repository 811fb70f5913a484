"""Schedules jobs: groups of seeds that fit, to an executor; splits and retries groups that are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stabbench.engine.job import (
    FirstLosses,
    Job,
    Memory,
    ModelCheck,
    Pace,
    Perplexities,
    PerplexityPart,
    PlanePart,
    PlaneValues,
)
from stabbench.errors import StabbenchError
from stabbench.records.checkpoints import Checkpoints
from stabbench.records.history import Run
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.records.store import ENCODERS
from stabbench.runner.cells import RecipeCell, ResolvedRecipes, count_runs, measured
from stabbench.runner.check_fits import model_checks, stored
from stabbench.runner.choose_workers import find_workers
from stabbench.runner.executors import Lost, Retry, refuse_while_imported
from stabbench.runner.groups import group_seeds, most_stacked, resumed_groups
from stabbench.runner.progress import Progress
from stabbench.runner.remedies import check_failed, remedy
from stabbench.runner.resources import Resources
from stabbench.runner.retries import TRIES, Retries, runs_of

# What is smaller than this does not come near the limits of a machine's memory, stacked or not.
MEASURED_WEIGHTS_BYTES = 16 * 2**20


class Scheduler:
    """Knows the workers and what they can take; splits and retries groups that are lost.

    That a worker was killed is noticed in :mod:`stabbench.runner.executors.pool`.

    Args:
        resolved: The plan with what it names.
        resources: How to run it, and the store, which keeps the encoders of intermediate trainings.
        missing: The cells with the runs to train.
        progress: Callbacks that are told how it goes.

    Attributes:
        reason: Why the model is trained one seed at a time; empty where it is stacked.
        workers: The number of processes.
    """

    def __init__(
        self, resolved: ResolvedRecipes, resources: Resources, missing: Sequence[RecipeCell], progress: Progress
    ) -> None:
        refuse_while_imported()
        self._resolved, self._missing, self._progress = resolved, missing, progress
        self._stack, self._detail, self._keeps = resources.stack, resources.detail, resources.keep_weights
        self._store = resources.store.resolve()
        self._checkpoints = Checkpoints.of(resources.store)
        self._trainer = resolved.trainer
        found = find_workers(resolved, resources, missing, progress)
        self._executor, self.workers, self._sharing = found.executor, found.number, found.sharing
        self._memories: dict[str, Memory] = {}
        self.reason = ""

    def train(self) -> Iterator[Sequence[Run]]:
        """The missing runs, group by group as they are done; what must be trained before them comes first.

        The caller stores each group before it takes the next one.

        Raises:
            StabbenchError: A recipe does not fit, the model cannot be loaded, or a prerequisite could not be trained.
        """
        before = self.prerequisites()
        runs = count_runs(self._missing)
        steps = sum(cell.all_steps for cell in (*self._missing, *before))
        self._progress.planned(len(self._resolved.run_ids) - runs, runs, steps)
        self.check_model()
        retry = Retries(self._progress).again
        first = [self.job(cell, cell.seeds, self._encoder_file(cell.run_ids[0])) for cell in before]
        for done in self._executor.map(self._trainer.train, first, self._progress.tick, retry):
            (run,) = runs_of(done, self._trainer)
            yield [run]
            self._check_prerequisite(run[0])
        for done in self._executor.map(self._trainer.train, self.groups(self._missing), self._progress.tick, retry):
            group = runs_of(done, self._trainer)
            yield group
            self._progress.finished([record for record, _ in group])

    def check_model(self) -> None:
        """Find out whether every recipe fits the model, and whether it can be stacked.

        Raises:
            StabbenchError: A recipe does not fit, or the model cannot be loaded.
        """
        tries: Counter[str] = Counter()

        def again(lost: Lost[ModelCheck]) -> list[ModelCheck]:
            tries[lost.item.task.name] += 1
            return [lost.item] if tries[lost.item.task.name] < TRIES else []

        reasons: list[str] = []
        notes: list[str] = []
        # All answers, not the first reason: the recipes must fit on every task.
        for answer in self._executor.map(self._trainer.check, model_checks(self._resolved), self._progress.tick, again):
            if isinstance(answer, Lost):
                raise check_failed(answer.item, answer.reason, TRIES)
            reasons.append(answer.reason)
            notes += answer.notes
        for note in dict.fromkeys(notes):
            self._progress.note(note)
        self.reason = next(filter(None, reasons), "")
        if self.reason:
            self._progress.note(f"model {self._resolved.model.name!r} is trained one seed at a time: {self.reason}")

    def prerequisites(self) -> list[RecipeCell]:
        """The cells, of one run each, that must be trained before the missing ones.

        One is done when its encoder and its record are both kept. A command may be killed between the two: then both
        are made again, with the same numbers.
        """
        before = {cell.encoder: cell.prerequisite for cell in self._missing if cell.encoder and cell.prerequisite}
        done = {name for name in measured(stored(self._store, list(before))) if self._encoder_file(name).is_file()}
        return [cell for name, cell in before.items() if name not in done]

    def _encoder_file(self, run_id: str) -> Path:
        """Where the encoder of a run is kept."""
        return self._store / ENCODERS / f"{run_id}.safetensors"

    def _check_prerequisite(self, record: RunRecord) -> None:
        what = f"intermediate training on {record.task}, {record.steps:,} steps"
        if record.outcome is Outcome.MISSING:
            raise StabbenchError(
                f"the {what}, is missing: {record.reason}", f"the same command tries it again{remedy(record.reason)}"
            )
        failed = "; it failed, and so may what starts from its encoder" if record.outcome is Outcome.FAILED else ""
        score = "-" if record.score is None else f"{record.score:.3f}"
        self._progress.note(f"{what}: {record.metric} {score}{failed}")

    def job(self, cell: RecipeCell, seeds: Sequence[Seeds], keep: Path | None = None) -> Job:
        """A job of that cell."""
        return Job(
            recipe=cell.recipe,
            label=cell.label,
            task=cell.source,
            model=self._resolved.model,
            seeds=tuple(seeds),
            stacked=not self.reason,
            device=self._resolved.device,
            max_steps=cell.max_steps,
            fingerprint=cell.fingerprint,
            start=self._encoder_file(cell.encoder) if cell.encoder else None,
            keep=keep,
            checkpoints=self._checkpoints,
            detail=self._detail,
            weights=self._store if self._keeps else None,
        )

    def groups(self, cells: Sequence[RecipeCell]) -> list[Job]:
        """The seeds of every cell in groups of the size that the user chose, or that pays and fits."""
        # The longest first, so that no worker waits for the last one.
        order = sorted(cells, key=lambda cell: -cell.all_steps)
        stack = 1 if self.reason else self._stack
        most = {} if stack else self._most(order)
        return [
            self.job(cell, group)
            for cell in order
            for group in self._groups_of(cell, stack, most.get(cell.fingerprint.cell_id))
        ]

    def _groups_of(self, cell: RecipeCell, stack: int | None, most: int | None) -> list[list[Seeds]]:
        """Seeds that a checkpoint has at the same step go on together, as far as that fits; the others as is best."""
        cpu, groups = self._resolved.device == "cpu", []
        rest = dict(zip(cell.run_ids, cell.seeds, strict=True))
        for checkpoint in self._checkpoints.usable(cell.fingerprint.cell_id, self._progress.note):
            parts = resumed_groups(checkpoint.header.runs, rest, stack, most, may_be_split=cpu)
            if parts:
                going_on = [each for part in parts for each in part]
                rest = {run: each for run, each in rest.items() if each not in going_on}
                groups += parts
                number = f"{len(going_on)} run{'s' if len(going_on) > 1 else ''}"
                self._progress.note(f"{cell.label}: {number} under way, on from step {checkpoint.header.made:,}")
        return groups + group_seeds(list(rest.values()), stack, self.workers, most)

    def paces(self, jobs: Sequence[Job]) -> list[Pace]:
        """How fast jobs go, side by side; without those that are lost."""
        found = self._executor.map(self._trainer.pace, jobs, lambda _: None)
        return [pace for pace in found if not isinstance(pace, Lost)]

    def losses(self, jobs: Sequence[Job]) -> list[FirstLosses | Lost[Job]]:
        """The first losses of jobs of one seed, or what is lost of them."""
        return list(self._executor.map(self._trainer.losses, jobs, lambda _: None))

    def runs(self, jobs: Sequence[Job]) -> Iterator[list[Run] | Lost[Job]]:
        """The runs of jobs, as they are done; nothing lost is tried again."""
        return self._executor.map(self._trainer.train, jobs, self._progress.tick)

    def planes(self, parts: Sequence[PlanePart], retry: Retry[PlanePart]) -> Iterator[PlaneValues | Lost[PlanePart]]:
        """What is found at the points of each of some parts of planes."""
        return self._executor.map(self._trainer.plane, parts, lambda _: None, retry)

    def perplexities(self, parts: Sequence[PerplexityPart]) -> Iterator[Perplexities | Lost[PerplexityPart]]:
        """How each of some trained encoders predicts masked words."""
        return self._executor.map(self._trainer.perplexities, parts, lambda _: None)

    def most(self, cell: RecipeCell) -> int | None:
        """How many models of a cell fit and are worth being trained together; None where nothing limits them."""
        return 1 if self.reason else self._most([cell])[cell.fingerprint.cell_id]

    def memories(self, cells: Sequence[RecipeCell]) -> dict[str, Memory]:
        """What one seed of each cell takes, by the cell's identity."""
        unknown = [cell for cell in cells if cell.fingerprint.cell_id not in self._memories]
        one_seed = [self.job(cell, cell.seeds[:1]) for cell in unknown]
        for found in self._executor.map(self._trainer.memory, one_seed, lambda _: None):
            memory = _unknown(found) if isinstance(found, Lost) else found
            self._memories[memory.cell] = memory
        return self._memories

    def _most(self, cells: Sequence[RecipeCell]) -> dict[str, int | None]:
        """How many seeds of each cell are trained together, at most."""
        device, weights = self._resolved.device, self._resolved.model.weights_bytes()
        most = {cell.fingerprint.cell_id: most_stacked(device, weights) for cell in cells}
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
