"""A few steps of a job, to know beforehand what the whole of it takes."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import torch

from stabbench.engine.evaluate import EVALUATION_BATCH, predict
from stabbench.engine.inputs import Inputs
from stabbench.engine.job import Job
from stabbench.engine.memory import free_bytes, is_out_of_memory, peak_bytes
from stabbench.engine.run import job_task, settings
from stabbench.engine.setup import Setup

# The optimizer's state comes with the first step, so the second has everything.
MEMORY_STEPS = 2
# The first step is slower than the others and not counted.
PACE_STEPS = 4


@dataclass(frozen=True)
class Memory:
    """Device memory of one seed.

    Attributes:
        cell: The identity of the job's cell.
        needed: Bytes that the training of one seed takes at most; a stack of K seeds takes K times as much.
        free: Bytes that were there for it; None where nothing tells.
    """

    cell: str
    needed: int
    free: int | None


@dataclass(frozen=True)
class Pace:
    """Seconds that a group takes.

    Attributes:
        cell: The identity of the job's cell.
        setup: Until the first step: loading the model, tokenising.
        step: One step, for each of its seeds.
        evaluation: Scoring it once, for each of its seeds.
    """

    cell: str
    setup: float
    step: float
    evaluation: float

    def of(self, seeds: int, steps: int, evaluations: int) -> float:
        """What a group of so many seeds takes in all."""
        return self.setup + seeds * (steps * self.step + evaluations * self.evaluation)


def memory_of(job: Job) -> Memory:
    """What the first steps of a job of one seed take.

    Raises:
        MemoryError: Not even one seed fits.
    """
    device = torch.device(job.device)
    with settings(job):
        free = free_bytes(device)
        try:
            needed = peak_bytes(lambda: _setup(job, MEMORY_STEPS).train(lambda _: None), device)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise MemoryError(f"one seed does not fit into the memory: {error}") from None
    return Memory(job.fingerprint.cell_id, needed, free)


def pace_of(job: Job) -> Pace:
    """How fast a job goes."""
    with settings(job):
        started = time.perf_counter()
        setup = _setup(job, PACE_STEPS)
        ready = time.perf_counter() - started
        ends = []

        def on_step(_: int) -> None:
            ends.append(_now(job.device))

        setup.train(on_step)
        step = (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else 0.0
        split = setup.curve.evaluation.inputs
        first = slice(EVALUATION_BATCH)
        some = Inputs({name: values[first] for name, values in split.tokens.items()}, split.labels[first])
        before = _now(job.device)
        predict(setup.model, some, len(job.seeds))
        evaluation = (_now(job.device) - before) * len(split) / len(some)
    seeds = len(job.seeds)
    return Pace(job.fingerprint.cell_id, ready, step / seeds, evaluation / seeds)


def _setup(job: Job, steps: int) -> Setup:
    return Setup(dataclasses.replace(job, max_steps=steps, keep=None), job_task(job))


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
