"""Run records before anything is measured, and of runs that were given up; torch is not needed for them."""

from __future__ import annotations

from datetime import UTC, datetime

from stabbench.engine.job import Job
from stabbench.recipes import planned_steps
from stabbench.records.history import History, Run
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.seeds import Seeds
from stabbench.tasks.task import Task


def missing(job: Job, task: Task, seeds: Seeds, reason: str, seconds: float) -> Run:
    """A run that the machine gave up on."""
    return new_record(job, task, seeds, Outcome.MISSING, reason, seconds), History()


def new_record(job: Job, task: Task, seeds: Seeds, outcome: Outcome, reason: str, seconds: float) -> RunRecord:
    """A record of a job's run without a score."""
    return RunRecord(
        id=job.fingerprint.run_id(seeds),
        recipe=job.label,
        task=job.task.name,
        model=job.model.name,
        revision=job.model.revision,
        seeds=seeds,
        outcome=outcome,
        reason=reason,
        metric=task.metric,
        score=None,
        constant_score=task.constant_score,
        final_loss=None,
        steps=planned_steps(job.recipe, task.schedule_size, job.max_steps),
        stack=len(job.seeds),
        seconds=seconds,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=job.fingerprint,
    )
