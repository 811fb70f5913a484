"""All contenders of a run, each in the form that is best for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from stabbench._system.machine import cores

from .by_loop import Loop
from .by_stabbench import Compare, Engine
from .by_trainer import ShellLoop, TrainerLoop, TrainersInParallel
from .by_trainer import is_available as trainer_is_available
from .contender import Row, quicker_threads
from .workload import Workload, device

CONTENDERS = {
    "engine": "stabbench's engine",
    "compare": "stabbench compare",
    "loop": "PyTorch loop",
    "trainer": "Trainer loop",
    "trainers": "Trainer loops in parallel",
    "shell": "shell loop of Trainers",
}
# What the others are compared with.
REFERENCE = "trainer"


def rows(workload: Workload, stacks: Sequence[int], seeds: int, only: Collection[str] = CONTENDERS) -> Iterator[Row]:
    """The rows of the contenders in ``only``.

    ``compare`` needs a task with texts, which the lab has. Without accelerate there is no Trainer. A GPU gets one
    process at a time.
    """
    on_cpu = device().type == "cpu"

    def how(processes: int, threads: int) -> str:
        text = "1 process" if processes == 1 else f"{processes} processes"
        return f"{text} x {threads} thread{'s' * (threads > 1)}" if on_cpu else text

    if "engine" in only:
        for stack in sorted({min(stack, seeds) for stack in stacks}):
            yield Row("engine", f"K = {stack}, {how(1, 1)}", partial(Engine, workload, stack), warm_up=stack)
    if "compare" in only and workload.name == "lab":
        yield Row("compare", how(min(cores(), seeds) if on_cpu else 1, 1), partial(Compare, workload), warm_up=0)
    if "loop" in only:
        threads = quicker_threads(partial(Loop, workload), workload)
        yield Row("loop", how(1, threads), partial(Loop, workload, threads))
    if trainer_is_available():
        threads = quicker_threads(partial(TrainerLoop, workload), workload) if {"trainer", "shell"} & set(only) else 1
        if "trainer" in only:
            yield Row("trainer", how(1, threads), partial(TrainerLoop, workload, threads))
        if "trainers" in only and on_cpu:
            yield Row("trainers", how(min(cores(), seeds), 1), partial(TrainersInParallel, workload), warm_up=0)
        if "shell" in only:
            yield Row("shell", f"{seeds} times {how(1, threads)}", partial(ShellLoop, workload, threads), warm_up=0)
