"""Schedules trainings: one seed a job, as many at a time as there are workers, one GPU each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from stabbench.records.history import Run
from stabbench.runner.cells import ResolvedTrainings, TrainingCell, count_runs
from stabbench.runner.executors import Executor, InProcess, ProcessPool, refuse_while_imported
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources
from stabbench.runner.retries import Retries, runs_of
from stabbench.trainings import outputs
from stabbench.trainings.training import TrainingJob

# What a worker needs for its first job.
_NEEDED = ("stabbench.trainings.own_code",)


class OneByOne:
    """Hands out the missing runs of trainings.

    Args:
        resolved: The plan with what it names.
        resources: How to run it, and the store, which keeps what the runs write.
        missing: The cells with the runs to train.
        progress: Progress callbacks.
    """

    def __init__(
        self, resolved: ResolvedTrainings, resources: Resources, missing: Sequence[TrainingCell], progress: Progress
    ) -> None:
        refuse_while_imported()
        self._resolved, self._missing, self._progress = resolved, missing, progress
        self._outputs = resources.store.resolve() / outputs.FOLDER
        number = min(count_runs(missing), resources.workers or len(resolved.gpus) or 1)
        self._executor = _executor(number, resolved, resources)

    def train(self) -> Iterator[Sequence[Run]]:
        """The missing runs, one by one as they are done. The caller stores each before it takes the next one.

        Raises:
            StabbenchError: A run cannot be done as planned.
        """
        jobs = [self._job(cell, number) for cell in self._missing for number in range(len(cell.seeds))]
        self._progress.planned(len(self._resolved.run_ids) - len(jobs), len(jobs), 0)
        trainer, retries = self._resolved.trainer, Retries(self._progress)
        for done in self._executor.map(trainer.train, jobs, self._progress.tick, retries.again):
            runs = runs_of(done, trainer)
            yield runs
            self._progress.finished([record for record, _ in runs])

    def _job(self, cell: TrainingCell, number: int) -> TrainingJob:
        return TrainingJob(cell.training, cell.label, (cell.seeds[number],), cell.fingerprint, self._outputs)

    def __enter__(self) -> Self:
        self._executor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(kind, error, trace)


def _executor(number: int, resolved: ResolvedTrainings, resources: Resources) -> Executor:
    # A command that sees several GPUs may use them all, as the Trainer does: with other numbers than on one.
    shared = len(resolved.gpus) > 1 and all(cell.training.kind == "command" for cell in resolved.cells)
    if number > 1 or shared:
        return ProcessPool(number, resources.plugins, _NEEDED, resolved.gpus)
    return InProcess()
