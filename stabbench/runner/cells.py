"""What a plan comes to: its cells, each the runs of one recipe or training, with everything that they name."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Self, TypeAlias, TypeVar

from stabbench.engine.engine import Engine
from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe, planned_steps
from stabbench.records.run import Environment, Fingerprint, Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.trainer import StackingTrainer
from stabbench.tasks.source import TaskSource
from stabbench.tasks.task import Task
from stabbench.trainings.own_code import OwnCode
from stabbench.trainings.training import Training


@dataclass(frozen=True)
class Cell:
    """The runs of one recipe or training.

    Attributes:
        label: Its label as the user gave it.
        fingerprint: The fingerprint of all its runs.
        seeds: The seeds of its runs.
    """

    label: str
    fingerprint: Fingerprint
    seeds: Sequence[Seeds]

    @cached_property
    def run_ids(self) -> list[str]:
        """The identity of each run, in the order of the seeds."""
        return [self.fingerprint.run_id(seeds) for seeds in self.seeds]

    @property
    def whole_steps(self) -> int | None:
        """The updates of one run that is not cut short; None where that is not known."""
        return None

    def without(self, run_ids: Container[str]) -> Self:
        """The same cell with only those runs that are not among ``run_ids``."""
        seeds = [seeds for seeds, run_id in zip(self.seeds, self.run_ids, strict=True) if run_id not in run_ids]
        return dataclasses.replace(self, seeds=seeds)

    def as_planned(self, record: RunRecord) -> RunRecord:
        """A stored run under the names of the plan: `devlin:lr=2e-5` may be stored for `devlin`."""
        return dataclasses.replace(record, recipe=self.label)


@dataclass(frozen=True)
class RecipeCell(Cell):
    """One recipe on one task and model, with the seeds of its runs.

    Attributes:
        recipe: With its model's defaults filled in.
        source: Where the task is.
        task: The task with its data.
        model: Where the model is.
        max_steps: Cuts every training short, if set.
        prerequisite: The cell of one run from whose encoder all runs start, if there is one.
    """

    recipe: Recipe
    source: TaskSource
    task: Task
    model: ModelSource
    max_steps: int | None
    prerequisite: RecipeCell | None = None

    @property
    def steps(self) -> int:
        """The updates of one run."""
        return planned_steps(self.recipe, self.task.schedule_size, self.max_steps)

    @property
    def all_steps(self) -> int:
        """The updates of all its runs."""
        return self.steps * len(self.seeds)

    @property
    def whole_steps(self) -> int:
        return planned_steps(self.recipe, self.task.schedule_size, None)

    @property
    def encoder(self) -> str | None:
        """The run whose encoder all runs start from, if there is one."""
        return None if self.prerequisite is None else self.prerequisite.run_ids[0]

    def as_planned(self, record: RunRecord) -> RunRecord:
        """Its folder may have other names, too: `./encoder` for `encoder`."""
        own = super().as_planned(record)
        return dataclasses.replace(own, task=self.task.name, model=self.model.name, revision=self.model.revision)


@dataclass(frozen=True)
class TrainingCell(Cell):
    """One training, with the seeds of its runs.

    Attributes:
        training: The training.
    """

    training: Training

    def as_planned(self, record: RunRecord) -> RunRecord:
        """Judged by the constant score that the training has now, which is no part of a run's identity."""
        own = super().as_planned(record)
        if own.outcome is Outcome.MISSING:
            return own
        scoring = self.training.scoring
        outcome, reason = scoring.outcome(own.score)
        return dataclasses.replace(own, outcome=outcome, reason=reason, constant_score=scoring.constant_score)


AnyCell = TypeVar("AnyCell", bound=Cell)


@dataclass(frozen=True)
class Resolved(Generic[AnyCell]):
    """A plan, and everything that it names.

    Attributes:
        plan: The plan.
        environment: Where the runs are made: libraries, and the device.
        cells: One a recipe or training, in the plan's order.
    """

    plan: Plan
    environment: Environment
    cells: Sequence[AnyCell]

    @property
    def device(self) -> str:
        """``"cpu"`` or ``"cuda"``."""
        return str(self.environment["device"])

    @property
    def task_name(self) -> str:
        """The task's name in run records."""
        return str(self.plan.task)

    @property
    def run_ids(self) -> list[str]:
        """The identity of every run."""
        return [run_id for cell in self.cells for run_id in cell.run_ids]

    def missing_from(self, records: Mapping[str, RunRecord]) -> list[AnyCell]:
        """The cells, each with the runs that have no measurement in ``records``; cells without any are left out."""
        known = measured(records)
        return [rest for cell in self.cells if (rest := cell.without(known)).seeds]

    def all_cells(self) -> list[AnyCell]:
        """The cells, and those that must be trained before them."""
        return list(self.cells)


@dataclass(frozen=True)
class ResolvedRecipes(Resolved[RecipeCell]):
    """A plan of recipes.

    Attributes:
        model: Where the model is.
        task: The task with its data.
        trainer: Trains them.
    """

    model: ModelSource
    task: Task
    trainer: StackingTrainer = field(default_factory=Engine)

    @property
    def task_name(self) -> str:
        return self.task.name

    def all_cells(self) -> list[RecipeCell]:
        return [*self.cells, *(cell.prerequisite for cell in self.cells if cell.prerequisite)]


@dataclass(frozen=True)
class ResolvedTrainings(Resolved[TrainingCell]):
    """A plan of trainings.

    Attributes:
        gpus: The GPUs to spread the runs over, one each.
        trainer: Trains them.
    """

    gpus: Sequence[int] = ()
    trainer: OwnCode = field(default_factory=OwnCode)


AnyResolved: TypeAlias = ResolvedRecipes | ResolvedTrainings


def measured(records: Mapping[str, RunRecord]) -> set[str]:
    """The identities of the runs that need no training."""
    return {run_id for run_id, record in records.items() if record.outcome is not Outcome.MISSING}


def count_runs(cells: Iterable[Cell]) -> int:
    """The number of runs of all cells."""
    return sum(len(cell.seeds) for cell in cells)
