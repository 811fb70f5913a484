"""A few steps of a job, to know beforehand what the whole of it takes."""

from __future__ import annotations

import time

import torch

from stabbench.engine.evaluate import EVALUATION_BATCH, predict
from stabbench.engine.job import Job, Memory, Pace
from stabbench.engine.memory import free_bytes, is_out_of_memory, peak_bytes
from stabbench.engine.run import job_task, settings, where
from stabbench.engine.setup import Setup
from stabbench.errors import StabbenchError

# Of every stage. The optimizer's state comes with the first step, so the second has everything.
MEMORY_STEPS = 2
# The very first step is slower than the others and not counted.
PACE_STEPS = 4


def memory_of(job: Job) -> Memory:
    """What a job of one seed takes: some steps of every stage, and the scoring of a batch.

    Raises:
        StabbenchError: The job cannot be done as it was asked for.
        MemoryError: Not even one seed fits.
    """
    device = torch.device(job.device)

    def some() -> None:
        setup = Setup(job, job_task(job))
        setup.lengthen()
        setup.shorten(MEMORY_STEPS)
        setup.train(lambda _: None)
        predict(setup.model, setup.curve.evaluation.inputs.longest(EVALUATION_BATCH), 1)

    with settings(job):
        free = free_bytes(device)
        try:
            return Memory(job.fingerprint.cell_id, peak_bytes(some, device), free)
        except StabbenchError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise MemoryError(f"one seed does not fit into the memory: {where(error)}") from None
            # A bug in a user's recipe, say: the run will record it.
            return Memory(job.fingerprint.cell_id, None, free, where(error))


def pace_of(job: Job) -> Pace:
    """How fast a job goes.

    Raises:
        StabbenchError: The job cannot be done as it was asked for.
        MemoryError: It does not fit, or fails in another way.
    """
    with settings(job):
        try:
            return _pace_of(job)
        except StabbenchError:
            raise
        except Exception as error:
            raise MemoryError(where(error)) from None


def _pace_of(job: Job) -> Pace:
    started = time.perf_counter()
    setup = Setup(job, job_task(job))
    ready = time.perf_counter() - started
    evaluations = len(setup.evaluations())
    ends: list[float] = []
    setup.shorten(PACE_STEPS)
    setup.train(lambda _: ends.append(_now(job.device)))
    curve = setup.curve
    batch = curve.evaluation.inputs.some(torch.arange(min(EVALUATION_BATCH, len(curve.evaluation.inputs))))
    before = _now(job.device)
    predict(setup.model, batch, len(job.seeds))
    examples = sum(len(split.inputs) for split in (curve.evaluation, curve.validation) if split is not None)
    evaluation = (_now(job.device) - before) * examples / len(batch)
    step, seeds = (ends[-1] - ends[0]) / (len(ends) - 1), len(job.seeds)
    return Pace(job.fingerprint.cell_id, ready, step / seeds, evaluation / seeds, evaluations)


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
