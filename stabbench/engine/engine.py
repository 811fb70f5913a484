"""The engine as a trainer. PyTorch is loaded where the work is done, not by the command that only hands it out."""

from __future__ import annotations

from dataclasses import dataclass

from stabbench.code.replaced import check_nothing_replaced
from stabbench.engine.empty_records import missing
from stabbench.engine.job import (
    CheckedModel,
    FirstLosses,
    Job,
    Memory,
    ModelCheck,
    Pace,
    Perplexities,
    PerplexityPart,
    PlanePart,
    PlaneValues,
    Tick,
)
from stabbench.engine.planned import check_code, planned_task
from stabbench.records.history import Run
from stabbench.records.seeds import Seeds
from stabbench.tasks.task import Task


@dataclass(frozen=True)
class Engine:
    """Trains groups of seeds of built-in and users' recipes: :class:`stabbench.runner.trainer.Trainer`."""

    def check(self, check: ModelCheck, tick: Tick) -> CheckedModel:
        """Find out before any training whether a model can be trained on a task by some recipes.

        Raises:
            StabbenchError: The model cannot be loaded, cannot read the task's texts, or a recipe does not fit it.
            MemoryError: It does not fit into the memory.
        """
        from stabbench.engine.check_model import check_model

        return check_model(check, planned_task(check.task, check.data))

    def memory(self, job: Job, tick: Tick) -> Memory:
        """What a job of one seed takes: some steps of every stage, and the scoring of a batch.

        Raises:
            StabbenchError: The job cannot be done as planned.
            MemoryError: Not even one seed fits.
        """
        from stabbench.engine.trial import memory_of

        return memory_of(job, self._task(job))

    def pace(self, job: Job, tick: Tick) -> Pace:
        """How fast a job goes.

        Raises:
            StabbenchError: The job cannot be done as planned.
            MemoryError: It does not fit, or fails in another way.
        """
        from stabbench.engine.trial import pace_of

        return pace_of(job, self._task(job))

    def losses(self, job: Job, tick: Tick) -> FirstLosses:
        """The losses of the first steps of a job of one seed.

        Raises:
            StabbenchError: The job cannot be done as planned.
            MemoryError: It does not fit, or fails in another way.
        """
        from stabbench.engine.trial import losses_of

        return losses_of(job, self._task(job))

    def plane(self, part: PlanePart, tick: Tick) -> PlaneValues:
        """The losses and gradient norms at points of a plane.

        Raises:
            StabbenchError: The job cannot be done as planned, or weights cannot be read.
            MemoryError: The stack does not fit into the memory.
        """
        from stabbench.engine.surface import plane_values

        return plane_values(part, self._task(part.job))

    def perplexities(self, part: PerplexityPart, tick: Tick) -> Perplexities:
        """The pretrained model's perplexity, and that of a trained encoder by the number of blocks put back.

        Raises:
            StabbenchError: The model does not predict masked words, or weights cannot be read.
            MemoryError: It does not fit into the memory.
        """
        from stabbench.engine.perplexity import perplexities

        return perplexities(part)

    def train(self, job: Job, tick: Tick) -> list[Run]:
        """Train and score a group of seeds, as it was planned: with the same code and data.

        Raises:
            StabbenchError: The job cannot be done as planned.
            MemoryError: The group does not fit into the memory.
        """
        from stabbench.engine.run import run_job

        check_nothing_replaced()
        check_code(job)
        return run_job(job, self._task(job), tick)

    def missing(self, job: Job, seeds: Seeds, reason: str) -> Run:
        """The record of a run that was given up."""
        return missing(job, self._task(job), seeds, reason, seconds=0.0)

    def _task(self, job: Job) -> Task:
        return planned_task(job.task, str(job.fingerprint.experiment["data"]))
