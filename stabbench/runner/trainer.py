"""What trains: the interface between the schedulers and whatever makes runs."""

from __future__ import annotations

from typing import Protocol, TypeVar

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
from stabbench.records.history import Run
from stabbench.records.seeds import Seeds

AnyJob = TypeVar("AnyJob", contravariant=True)


class Trainer(Protocol[AnyJob]):
    """Trains jobs, in whichever process an executor calls it; it is sent there, so it is small and picklable.

    Each method raises StabbenchError where the job cannot be done as planned, and MemoryError where memory runs out:
    then the scheduler sends a smaller group, or the same one again.
    """

    def train(self, job: AnyJob, tick: Tick) -> list[Run]:
        """Train and score the job's seeds; a run whose training goes wrong is missing, with the reason."""
        ...

    def missing(self, job: AnyJob, seeds: Seeds, reason: str) -> Run:
        """The record of a run that was given up."""
        ...


class StackingTrainer(Trainer[Job], Protocol):
    """One that trains groups of seeds, and whose groups must fit into the memory."""

    def check(self, check: ModelCheck, tick: Tick) -> CheckedModel:
        """Find out before any training whether a model can be trained on a task by some recipes."""
        ...

    def memory(self, job: Job, tick: Tick) -> Memory:
        """What one seed of a job takes, found by a few steps."""
        ...

    def pace(self, job: Job, tick: Tick) -> Pace:
        """How fast a job goes, found by a few steps."""
        ...

    def losses(self, job: Job, tick: Tick) -> FirstLosses:
        """The losses of the first steps of a job of one seed."""
        ...

    def plane(self, part: PlanePart, tick: Tick) -> PlaneValues:
        """The losses at points of the plane through a run's start and two trained models."""
        ...

    def perplexities(self, part: PerplexityPart, tick: Tick) -> Perplexities:
        """How well a trained encoder still predicts masked words."""
        ...
