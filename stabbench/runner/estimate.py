"""Inspects a machine, and estimates by a few steps how a plan would be run on it and how long that would take."""

from __future__ import annotations

import dataclasses
import heapq
import importlib.util
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stabbench._system.machine import available_memory, cores, cpu_name
from stabbench.engine.job import Memory, Pace
from stabbench.runner.cells import RecipeCell, ResolvedTrainings
from stabbench.runner.check_fits import missing_runs
from stabbench.runner.effect_of_streams import Streams, try_streams
from stabbench.runner.fingerprint import installed_version
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve_recipes
from stabbench.runner.resolve_trainings import resolve_trainings
from stabbench.runner.resources import Resources
from stabbench.runner.scheduler import Scheduler
from stabbench.runner.try_trainings import TrainingOutlook, try_trainings

PACKAGES = ("torch", "transformers", "tokenizers")
EXTRAS = {"plot": "matplotlib", "ray": "ray"}


@dataclass(frozen=True)
class Outlook:
    """How one recipe of a plan would be trained.

    Attributes:
        recipe: The recipe's label.
        task: The task's name.
        runs: The number of runs that are not stored yet.
        steps: The updates of each run.
        whole_steps: The updates of each run without ``--max-steps``.
        stack: The most seeds that are trained together.
        memory: Bytes that one seed takes; None where that could not be measured.
        seed_step: Seconds of a worker for one step of one seed; None where that could not be measured.
        groups: The expected seconds of each group.
        reason: Why something could not be measured.
        streams: Which sources of randomness change a run; None of what is trained before.
    """

    recipe: str
    task: str
    runs: int
    steps: int
    whole_steps: int
    stack: int
    memory: int | None
    seed_step: float | None
    groups: Sequence[float]
    reason: str = ""
    streams: Streams | None = None


@dataclass(frozen=True)
class Estimate:
    """How a plan would be run.

    Attributes:
        device: The device's name.
        reason: Why the model is trained one seed at a time; empty where seeds are stacked.
        workers: The number of processes.
        outlooks: One for each recipe.
        seconds: The expected time in all.
        trainings: One for each training, where they are no recipes.
    """

    device: str
    reason: str
    workers: int
    outlooks: Sequence[Outlook]
    seconds: float
    trainings: Sequence[TrainingOutlook] = ()


@dataclass(frozen=True)
class Machine:
    """Versions and hardware of this machine.

    Attributes:
        packages: The version of each package that affects numbers.
        processor: Its name.
        cores: The number of its cores.
        free_memory: Bytes; None where that is not known.
        gpus: The name and the bytes of memory of each GPU that PyTorch sees.
        cuda: The CUDA version that PyTorch was built for; None for none.
        extras: The version of the package of each extra; None where it is not installed.
    """

    packages: Mapping[str, str]
    processor: str
    cores: int
    free_memory: int | None
    gpus: Sequence[tuple[str, int]]
    cuda: str | None
    extras: Mapping[str, str | None]


def machine() -> Machine:
    """What this process finds on this machine."""
    import torch

    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return Machine(
        packages={package: installed_version(package) for package in PACKAGES},
        processor=cpu_name(),
        cores=cores(),
        free_memory=available_memory(),
        gpus=[(gpu.name, gpu.total_memory) for gpu in gpus],
        cuda=torch.version.cuda,
        extras={
            extra: installed_version(module) if importlib.util.find_spec(module) else None
            for extra, module in EXTRAS.items()
        },
    )


def estimate(plan: Plan, resources: Resources, progress: Progress | None = None) -> Estimate:
    """Try a few steps of every recipe of a plan that has something to train. Nothing is stored.

    Raises:
        StabbenchError: Bad input.
    """
    progress = progress or Progress()
    if plan.trainings:
        return _of_trainings(resolve_trainings(plan, resources), resources, progress)
    resolved = resolve_recipes(plan, resources)
    missing = missing_runs(resolved, resources.store)
    name = str(resolved.environment["device_name"])
    if not missing:
        return Estimate(name, "", 0, [], 0.0)
    started = time.perf_counter()
    with Scheduler(resolved, resources, missing, progress) as scheduler:
        scheduler.check_model()
        startup = time.perf_counter() - started
        # Trials start from the pretrained encoder; what comes before a training is a cell of its own.
        before = _outlooks(scheduler, scheduler.prerequisites())
        first_steps = [dataclasses.replace(cell, prerequisite=None) for cell in missing]
        outlooks = _outlooks(scheduler, first_steps)
        seconds = startup + _makespan(before, scheduler.workers) + _makespan(outlooks, scheduler.workers)
        # Not the time of the runs, which try no streams.
        outlooks = [
            outlook if outlook.reason else dataclasses.replace(outlook, streams=try_streams(scheduler, cell))
            for outlook, cell in zip(outlooks, first_steps, strict=True)
        ]
        return Estimate(name, scheduler.reason, scheduler.workers, [*before, *outlooks], seconds)


def _of_trainings(resolved: ResolvedTrainings, resources: Resources, progress: Progress) -> Estimate:
    """What is known of training code when it was run."""
    found = list(try_trainings(resolved, resources, progress))
    workers = min(resources.workers or len(resolved.gpus) or 1, max([1, *(each.runs for each in found)]))
    seconds = sum(each.runs * (each.seconds or 0) for each in found) / workers
    return Estimate(str(resolved.environment["device_name"]), "", workers, [], seconds, found)


def _outlooks(scheduler: Scheduler, cells: Sequence[RecipeCell]) -> list[Outlook]:
    jobs = scheduler.groups(cells)
    memories = scheduler.memories(cells)
    found = []
    for cell in cells:
        own = [job for job in jobs if job.fingerprint == cell.fingerprint]
        memory = memories[cell.fingerprint.cell_id]
        # As many side by side as there will be: they share caches and memory.
        paces = [] if memory.reason else scheduler.paces(own[: scheduler.workers])
        found.append(_outlook(cell, [len(job.seeds) for job in own], memory, paces))
    return found


def _outlook(cell: RecipeCell, sizes: Sequence[int], memory: Memory, paces: Sequence[Pace]) -> Outlook:
    return Outlook(
        recipe=cell.label,
        task=cell.task.name,
        runs=sum(sizes),
        steps=cell.steps,
        whole_steps=cell.whole_steps,
        stack=max(sizes),
        memory=memory.needed,
        seed_step=paces[0].step if paces else None,
        groups=[paces[0].of(size, cell.steps) for size in sizes] if paces else [],
        reason=memory.reason or ("" if paces else "a group of this size does not fit, or its worker dies"),
    )


def _makespan(outlooks: Sequence[Outlook], workers: int) -> float:
    """Seconds until the last group is done, where every worker that is free takes the next one."""
    busy = [0.0] * workers
    for seconds in sorted((s for o in outlooks for s in o.groups), reverse=True):
        heapq.heappush(busy, heapq.heappop(busy) + seconds)
    return max(busy)
