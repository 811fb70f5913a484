"""Training code as a trainer: :class:`stabbench.runner.trainer.Trainer`. Nothing here loads torch."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from stabbench.records.history import History, Run
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.scoring import LARGEST_SCORE
from stabbench.records.seeds import Seeds
from stabbench.records.setting import TRAINING_MODEL, TRAINING_TASK
from stabbench.trainings.training import Measured, NoScoreError, TrainingJob


@dataclass(frozen=True)
class OwnCode:
    """Trains one seed after the other by the code of a training."""

    def train(self, job: TrainingJob, tick: Callable[[int], None]) -> list[Run]:
        """Train and score the job's seed; one that gives no score is missing, with the reason.

        Raises:
            StabbenchError: The job cannot be done as planned.
        """
        started = time.perf_counter()
        try:
            measured = job.training.measure(job)
            if math.isfinite(measured.value) and abs(measured.value) > LARGEST_SCORE:
                raise NoScoreError(
                    f"{job.training.metric} {measured.value:g} is no score: it is over {LARGEST_SCORE:g}"
                )
        except NoScoreError as error:
            return [_record(job, job.seeds[0], str(error), time.perf_counter() - started)]
        tick(1)
        return [_record(job, job.seeds[0], measured, time.perf_counter() - started)]

    def missing(self, job: TrainingJob, seeds: Seeds, reason: str) -> Run:
        """The record of a run that was given up."""
        return _record(job, seeds, reason, 0.0)


def _record(job: TrainingJob, seeds: Seeds, result: Measured | str, seconds: float) -> Run:
    """The record of what a run gave, or of why it gave nothing."""
    scoring, history, score = job.training.scoring, History(), None
    if isinstance(result, str):
        outcome, reason = Outcome.MISSING, result
    else:
        score = scoring.score(result.value)
        history = dataclasses.replace(result.history, scores=[scoring.score(each) for each in result.history.scores])
        outcome, reason = scoring.outcome(score)
    record = RunRecord(
        id=job.fingerprint.run_id(seeds),
        recipe=job.label,
        task=TRAINING_TASK,
        model=TRAINING_MODEL,
        revision=None,
        seeds=seeds,
        outcome=outcome,
        reason=reason,
        metric=scoring.name,
        score=score,
        constant_score=scoring.constant_score,
        final_loss=history.losses[-1] if history.losses else None,
        steps=history.loss_steps[-1] if history.loss_steps else len(history.losses),
        stack=1,
        seconds=seconds,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=job.fingerprint,
    )
    return record, history
