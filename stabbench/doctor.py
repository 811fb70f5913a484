"""What a machine is, how a plan would be run on it, and about how long that would take; measured by a few steps."""

from __future__ import annotations

import dataclasses
import heapq
import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tabulate import tabulate

import stabbench
from stabbench.cells import Cell, prepare
from stabbench.driver import Driver
from stabbench.engine.job import Memory, Pace
from stabbench.fingerprint import PACKAGES
from stabbench.machine import available_memory, cores, cpu_name
from stabbench.plan import Plan
from stabbench.preflight import lacking_in
from stabbench.seeds import Seeds
from stabbench.watcher import Watcher

EXTRAS = {"plot": "matplotlib", "ray": "ray"}
GIB = 2**30


@dataclass(frozen=True)
class Outlook:
    """How one recipe of a plan would be trained.

    Attributes:
        recipe: Its label.
        task: What it is trained on.
        runs: How many are not stored yet.
        steps: Updates of each.
        stack: Seeds trained together, at most.
        memory: Bytes that one seed takes; None where that could not be tried.
        seed_step: Seconds of a worker for one step of one seed; None where that could not be tried.
        groups: The seconds that each group is expected to take.
        reason: Why something could not be tried.
    """

    recipe: str
    task: str
    runs: int
    steps: int
    stack: int
    memory: int | None
    seed_step: float | None
    groups: Sequence[float]
    reason: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """How a plan would be run.

    Attributes:
        device: Its name.
        reason: Why the model is trained one seed at a time; empty where it is stacked.
        workers: The number of processes.
        outlooks: One a recipe.
        seconds: The time that all of it is expected to take.
    """

    device: str
    reason: str
    workers: int
    outlooks: Sequence[Outlook]
    seconds: float

    def __str__(self) -> str:
        if not self.outlooks:
            return f"device: {self.device}\n\nnothing to train: every run is stored"
        engine = f"one seed at a time: {self.reason}" if self.reason else "seeds are stacked"
        rows = [
            [o.recipe, o.task, o.runs, o.steps, o.stack, _gib(o.memory), _milliseconds(o.seed_step)]
            for o in self.outlooks
        ]
        headers = ["recipe", "task", "runs to train", "steps each", "seeds at a time", "GiB a seed", "ms a seed-step"]
        tried = sum(o.runs for o in self.outlooks if o.groups)
        runs = sum(o.runs for o in self.outlooks)
        return "\n".join(
            [
                f"device: {self.device}; {self.workers} {'worker' if self.workers == 1 else 'workers'}; {engine}",
                "",
                tabulate(rows, headers=headers, disable_numparse=True),
                "",
                *(f"{o.recipe} could not be tried: {o.reason}" for o in self.outlooks if o.reason),
                f"about {_duration(self.seconds)} for {tried if tried == runs else f'{tried} of {runs}'} runs",
            ]
        )


def machine() -> str:
    """Versions, the processor, memory, GPUs and extras, one a line."""
    import torch

    free = available_memory()
    lines = [
        f"stabbench {stabbench.__version__}: " + ", ".join(f"{package} {_version(package)}" for package in PACKAGES),
        f"processor: {cpu_name()}, {cores()} cores, {'?' if free is None else f'{free / GIB:.1f}'} GiB of memory free",
    ]
    count = torch.cuda.device_count()
    for number in range(count):
        properties = torch.cuda.get_device_properties(number)
        lines.append(f"GPU {number}: {properties.name}, {properties.total_memory / GIB:.1f} GiB")
    if not count:
        lines.append(f"GPU: none that PyTorch sees (built for CUDA {torch.version.cuda or 'none'})")
    for extra, module in EXTRAS.items():
        there = importlib.util.find_spec(module)
        lines.append(f"{extra}: " + (_version(module) if there else f'not installed: pip install "stabbench[{extra}]"'))
    return "\n".join(lines)


def diagnose(plan: Plan, store: Path, watcher: Watcher | None = None) -> Diagnosis:
    """Try a few steps of every recipe of a plan that has something to train. Nothing is stored.

    Raises:
        StabbenchError: Bad input.
    """
    ready = prepare(plan)
    todo = lacking_in(store, plan, ready)
    name = str(ready.environment["device_name"])
    if not todo:
        return Diagnosis(name, "", 0, [], 0.0)
    started = time.perf_counter()
    with Driver(plan, ready, store, sum(len(seeds) for _, seeds in todo), watcher or Watcher()) as driver:
        driver.look()
        startup = time.perf_counter() - started
        # Trials start from the pretrained encoder; what comes before a training is a cell of its own.
        before = _outlooks(driver, [(cell, [seeds]) for cell, seeds in driver.firsts(todo).values()])
        outlooks = _outlooks(driver, [(dataclasses.replace(cell, first=None), seeds) for cell, seeds in todo])
        seconds = startup + _makespan(before, driver.workers) + _makespan(outlooks, driver.workers)
        return Diagnosis(name, driver.reason, driver.workers, [*before, *outlooks], seconds)


def _outlooks(driver: Driver, cells: Sequence[tuple[Cell, Sequence[Seeds]]]) -> list[Outlook]:
    jobs = driver.groups(cells)
    memories = driver.memories([cell for cell, _ in cells])
    found = []
    for cell, _ in cells:
        cell_id = cell.made_of.cell_id
        own = [job for job in jobs if job.fingerprint == cell.made_of]
        # As many side by side as there will be: they share caches and memory.
        paces = [] if memories[cell_id].reason else driver.paces(own[: driver.workers])
        found.append(_outlook(cell, [len(job.seeds) for job in own], memories[cell_id], paces))
    return found


def _outlook(cell: Cell, sizes: Sequence[int], memory: Memory, paces: Sequence[Pace]) -> Outlook:
    return Outlook(
        recipe=cell.label,
        task=cell.task.name,
        runs=sum(sizes),
        steps=cell.steps,
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


def _gib(size: int | None) -> str:
    return "-" if size is None else f"{size / GIB:.2f}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.1f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # pragma: no cover - they are requirements
        return "not installed"
