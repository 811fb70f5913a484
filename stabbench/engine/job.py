"""The unit of work: one recipe, one task, one model, a group of seeds trained together; and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe
from stabbench.records import Fingerprint, History, RunRecord
from stabbench.seeds import Seeds

# Called with the number of seed-steps just made.
Tick = Callable[[int], None]
Run = tuple[RunRecord, History]


@dataclass(frozen=True)
class Job:
    """Plain data, so that it can be sent to another process.

    Attributes:
        recipe: With its model's defaults filled in.
        label: The recipe's label in records and tables.
        task: The task's name.
        data_dir: As for :func:`stabbench.tasks.load_task`.
        model: Where the model is.
        seeds: The group.
        stacked: Whether the model may be stacked; where not, the group is one seed.
        device: ``"cpu"`` or ``"cuda"``.
        max_steps: Stop there, if set.
        fingerprint: Of every run of the group.
        start: A file of encoder weights to start from in place of the model's own.
        keep: The file to keep the trained encoder's weights in; the group is then one seed.
    """

    recipe: Recipe
    label: str
    task: str
    data_dir: Path | None
    model: ModelSource
    seeds: tuple[Seeds, ...]
    stacked: bool
    device: str
    max_steps: int | None
    fingerprint: Fingerprint
    start: Path | None = None
    keep: Path | None = None


@dataclass(frozen=True)
class Memory:
    """Device memory of one seed.

    Attributes:
        cell: The identity of the job's cell.
        needed: Bytes that the training of one seed takes at most; a stack of K seeds takes K times as much. None where
            it could not be found out.
        free: Bytes that were there for it; None where nothing tells.
        reason: Why it could not be found out.
    """

    cell: str
    needed: int | None
    free: int | None
    reason: str = ""


@dataclass(frozen=True)
class Pace:
    """Seconds that a group takes.

    Attributes:
        cell: The identity of the job's cell.
        setup: Until the first step: loading the model, tokenising.
        step: One step, for each of its seeds.
        evaluation: Scoring it once, for each of its seeds.
        evaluations: How often it is scored.
    """

    cell: str
    setup: float
    step: float
    evaluation: float
    evaluations: int

    def of(self, seeds: int, steps: int) -> float:
        """What a group of so many seeds takes in all."""
        return self.setup + seeds * (steps * self.step + self.evaluations * self.evaluation)
