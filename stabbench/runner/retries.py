"""What becomes of jobs that are lost: a group is tried again in halves, a seed a few times, and then it is missing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from stabbench.engine.job import Job
from stabbench.records.history import Run
from stabbench.runner.executors import Lost
from stabbench.runner.progress import Progress
from stabbench.runner.trainer import Trainer
from stabbench.trainings.training import TrainingJob

# A worker may die for reasons that have nothing to do with the seed that it trains.
TRIES = 3


AnyJob = TypeVar("AnyJob", Job, TrainingJob)


class Retries:
    """Counts the tries of each seed.

    Args:
        progress: Is told of each job that is tried again.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._tries = progress, Counter[str]()

    def again(self, lost: Lost[AnyJob]) -> list[AnyJob]:
        """A lost group in halves, as what a seed gives does not depend on its neighbours; a lost seed, a few times."""
        seeds = lost.item.seeds
        what = f"{lost.item.label}, seeds {', '.join(str(s.seed) for s in seeds)}: {lost.reason}"
        if len(seeds) > 1:
            half = -(-len(seeds) // 2)
            self._progress.note(f"{what}; again with {half} seeds at a time")
            return [dataclasses.replace(lost.item, seeds=part) for part in (seeds[:half], seeds[half:])]
        run_id = lost.item.fingerprint.run_id(seeds[0])
        self._tries[run_id] += 1
        if self._tries[run_id] == TRIES:
            return []
        self._progress.note(f"{what}; again")
        return [lost.item]


def runs_of(done: list[Run] | Lost[AnyJob], trainer: Trainer[AnyJob]) -> Sequence[Run]:
    """The runs of a job; those of one that was given up are missing."""
    if not isinstance(done, Lost):
        return done
    reason = f"{done.reason}, {TRIES} times"
    return [trainer.missing(done.item, seeds, reason) for seeds in done.item.seeds]
