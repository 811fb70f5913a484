"""Tries training code: the same seed twice and another one once. Nothing of it is stored."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stabbench.records.history import Run
from stabbench.records.run import Outcome
from stabbench.records.seeds import Seeds
from stabbench.runner.cells import ResolvedTrainings, TrainingCell
from stabbench.runner.check_fits import missing_runs
from stabbench.runner.one_by_one import OneByOne
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources


@dataclass(frozen=True)
class TrainingOutlook:
    """What was found of one training.

    Attributes:
        label: Its label.
        runs: The number of runs that are not stored yet.
        seconds: The time of one run; None where none gave a score.
        repeatable: Whether the same seed gave the same numbers twice.
        seed_matters: Whether another seed gave other numbers.
        told: Whether it tells more than a score: two runs may have one score by chance.
        reason: Why it could not be tried; empty where it was.
    """

    label: str
    runs: int
    seconds: float | None = None
    repeatable: bool = False
    seed_matters: bool = False
    told: bool = False
    reason: str = ""


def try_trainings(resolved: ResolvedTrainings, resources: Resources, progress: Progress) -> Iterator[TrainingOutlook]:
    """Run every training that has something to train three times, as a whole: only its own code can shorten it.

    Raises:
        StabbenchError: It cannot be run as planned.
    """
    for cell in missing_runs(resolved, resources.store):
        progress.note(f"{cell.label} is run three times, to see what its seed changes")
        with tempfile.TemporaryDirectory(prefix="stabbench-doctor-") as folder:
            here = dataclasses.replace(resources, store=Path(folder), workers=1, trackers=())
            yield _tried(resolved, cell, here)


def _tried(resolved: ResolvedTrainings, cell: TrainingCell, resources: Resources) -> TrainingOutlook:
    three = dataclasses.replace(cell, seeds=[Seeds.of(0), Seeds.of(0), Seeds.of(1)])
    runs: list[Run] = []
    with OneByOne(resolved, resources, [three], Progress()) as scheduler:
        for done in scheduler.train():
            runs += done
            if done[0][0].outcome is Outcome.MISSING:
                return TrainingOutlook(cell.label, len(cell.seeds), reason=done[0][0].reason)
    (record, history), again, other = runs
    return TrainingOutlook(
        label=cell.label,
        runs=len(cell.seeds),
        seconds=record.seconds,
        repeatable=(again[0].score, again[1]) == (record.score, history),
        seed_matters=(other[0].score, other[1]) != (record.score, history),
        told=any(vars(history).values()),
    )
