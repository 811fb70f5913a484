"""A few steps of a job, to know beforehand what the whole of it takes."""

from __future__ import annotations

import dataclasses
import time

import torch

from stabbench._system.machine import is_out_of_memory
from stabbench.code.users_code import users_code, where
from stabbench.engine.evaluate import EVALUATION_BATCH, predict
from stabbench.engine.job import FirstLosses, Job, Memory, Pace
from stabbench.engine.memory import free_bytes, peak_bytes
from stabbench.engine.run import settings
from stabbench.engine.setup import Setup
from stabbench.errors import StabbenchError
from stabbench.tasks.task import Task

# Of every stage. The optimizer's state comes with the first step, so the second has everything.
MEMORY_STEPS = 2
# The very first step is slower than the others and not counted.
PACE_STEPS = 4
# Head, order and dropout have their effect on the very first loss, if they have one; mixout and the like on the second.
LOSS_STEPS = 2


def memory_of(job: Job, task: Task) -> Memory:
    """What a job of one seed takes: some steps of every stage, and the scoring of a batch.

    Raises:
        StabbenchError: The job cannot be done as planned.
        MemoryError: Not even one seed fits.
    """
    device = torch.device(job.device)
    # The start of the training is kept once for all seeds, so that no seed's share has it.
    shared = 0 if job.detail == "brief" else job.model.weights_bytes()
    job = dataclasses.replace(job, detail="brief")

    def some() -> None:
        setup = Setup(job, task)
        setup.use_longest_batch()
        setup.shorten(MEMORY_STEPS)
        with setup.training() as training:
            training.run()
        predict(setup.model, setup.curve.evaluation.inputs.longest(EVALUATION_BATCH), 1)

    with settings(job):
        found = free_bytes(device)
        free = None if found is None else max(0, found - shared)
        try:
            with users_code():
                return Memory(job.fingerprint.cell_id, peak_bytes(some, device), free)
        except StabbenchError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise MemoryError(f"one seed does not fit into the memory: {where(error)}") from None
            # A bug in a user's recipe, say: the run will record it.
            return Memory(job.fingerprint.cell_id, None, free, where(error))


def pace_of(job: Job, task: Task) -> Pace:
    """How fast a job goes.

    Raises:
        StabbenchError: The job cannot be done as planned.
        MemoryError: It does not fit, or fails in another way.
    """
    with settings(job):
        try:
            with users_code():
                return _pace_of(job, task)
        except StabbenchError:
            raise
        except Exception as error:
            raise MemoryError(where(error)) from None


def _pace_of(job: Job, task: Task) -> Pace:
    started = time.perf_counter()
    setup = Setup(job, task)
    ready = time.perf_counter() - started
    evaluations = len(setup.evaluations())
    ends: list[float] = []
    setup.shorten(PACE_STEPS)
    with setup.training() as training:
        training.run(lambda _: ends.append(_now(job.device)))
    curve = setup.curve
    batch = curve.evaluation.inputs.some(torch.arange(min(EVALUATION_BATCH, len(curve.evaluation.inputs))))
    before = _now(job.device)
    predict(setup.model, batch, len(job.seeds))
    examples = sum(len(split.inputs) for split in (curve.evaluation, curve.validation) if split is not None)
    evaluation = (_now(job.device) - before) * examples / len(batch)
    step, seeds = (ends[-1] - ends[0]) / (len(ends) - 1), len(job.seeds)
    return Pace(job.fingerprint.cell_id, ready, step / seeds, evaluation / seeds, evaluations)


def losses_of(job: Job, task: Task) -> FirstLosses:
    """The losses of the first steps of every stage of one seed; nothing is scored.

    Raises:
        StabbenchError: The job cannot be done as planned.
        MemoryError: It does not fit, or fails in another way.
    """
    with settings(job):
        try:
            with users_code():
                setup = Setup(job, task)
                setup.shorten(LOSS_STEPS)
                with setup.training() as training:
                    return FirstLosses(job.seeds[0], tuple(training.run().losses[:, 0].tolist()))
        except StabbenchError:
            raise
        except Exception as error:
            raise MemoryError(where(error)) from None


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
