"""What an executor calls. PyTorch is loaded where the work is done, not by the driver that only hands it out."""

from __future__ import annotations

from collections.abc import Sequence

from stabbench.engine.job import Job, Memory, Pace, Run, Tick
from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe


def check_model(asked: tuple[ModelSource, int, Sequence[tuple[Recipe, int]]], tick: Tick) -> str:
    """:func:`stabbench.engine.run.check_model`."""
    from stabbench.engine import run

    return run.check_model(*asked)


def run_job(job: Job, tick: Tick) -> list[Run]:
    """:func:`stabbench.engine.run.run_job`."""
    from stabbench.engine import run

    return run.run_job(job, tick)


def memory_of(job: Job, tick: Tick) -> Memory:
    """:func:`stabbench.engine.trial.memory_of`."""
    from stabbench.engine import trial

    return trial.memory_of(job)


def pace_of(job: Job, tick: Tick) -> Pace:
    """:func:`stabbench.engine.trial.pace_of`."""
    from stabbench.engine import trial

    return trial.pace_of(job)
