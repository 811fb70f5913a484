"""What a contender is, and the clock that all of them run against."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from stabbench._system.machine import cores
from stabbench.engine.memory import release

from .workload import Workload, device

# Before the clock starts: kernels are loaded and chosen, memory is taken.
WARM_UP_STEPS = 3
# Enough to tell which number of threads is quicker: with fewer, the evaluation decides, whose batches are larger.
TRIAL_STEPS = 30
# What all threads must take at most of one thread's time; a lead by a hair is lost as soon as anybody uses a core.
CLEARLY = 0.9


@dataclass(frozen=True)
class Outcome:
    """What one seed gave.

    Attributes:
        updates: Made by its optimizer.
        score: Accuracy on the evaluation examples.
        memory: The most that its process had of a GPU's memory, in bytes, if that was not this process.
    """

    updates: int
    score: float
    memory: int = 0


class Contender(Protocol):
    """Trains seeds. What it needs once, whatever the number of seeds, is made before and is not counted."""

    def __call__(self, seeds: Sequence[int], steps: int) -> list[Outcome]: ...


@dataclass(frozen=True)
class Row:
    """A contender in the table.

    Attributes:
        name: What it is.
        how: How many seeds, processes, threads.
        build: Makes it.
        warm_up: The number of seeds to warm it up with; 0 where its start is part of what it costs.
    """

    name: str
    how: str
    build: Callable[[], Contender]
    warm_up: int = 1

    def ready(self) -> Contender:
        contender = self.build()
        if self.warm_up:
            contender(range(self.warm_up), WARM_UP_STEPS)
        return contender


@dataclass(frozen=True)
class Measured:
    """What a row took: wall time, and the most memory of a GPU (0 on the CPU)."""

    row: Row
    seconds: float
    memory: int
    outcomes: Sequence[Outcome]

    @property
    def rate(self) -> float:
        """Seed-steps a second."""
        return sum(outcome.updates for outcome in self.outcomes) / self.seconds


def measure(row: Row, workload: Workload, seeds: int) -> Measured | None:
    """None where it does not fit into the GPU's memory."""
    release(device())
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        return clocked(row, row.ready(), workload, seeds)
    except torch.OutOfMemoryError:
        return None


def clocked(row: Row, contender: Contender, workload: Workload, seeds: int) -> Measured:
    synchronize()
    started = time.perf_counter()
    outcomes = contender(range(seeds), workload.steps)
    synchronize()
    seconds = time.perf_counter() - started
    here = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return Measured(row, seconds, max(here, *(outcome.memory for outcome in outcomes)), outcomes)


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@contextlib.contextmanager
def cpu_threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def quicker_threads(build: Callable[[int], Contender], workload: Workload) -> int:
    """Small matrices may be quicker with one thread than with all: a short trial decides, if it is worth one."""
    if device().type != "cpu" or cores() == 1 or workload.steps < TRIAL_STEPS:
        return 1

    def seconds(threads: int) -> float:
        contender = build(threads)
        contender([0], WARM_UP_STEPS)
        started = time.perf_counter()
        contender([0], TRIAL_STEPS)
        return time.perf_counter() - started

    return cores() if seconds(cores()) < CLEARLY * seconds(1) else 1
