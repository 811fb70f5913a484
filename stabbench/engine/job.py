"""The unit of work: one recipe, one task, one model, a group of seeds trained together."""

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
