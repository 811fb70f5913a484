"""NOTHING IS TRAINED HERE. Every score is made up, to see whether the driver and the store hold so many runs.

    python scripts/dry_run.py --seeds 10000
    python scripts/dry_run.py --seeds 10000 --executor ray

All else is real: plan, claims, executor, store, and the commands that read it. A made-up run has a record and a history
of the size of a real one with --detail brief, and is ready at once, so that the driver is far busier than it ever is
with trainings.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from tabulate import tabulate

from stabbench.engine.engine import Engine
from stabbench.engine.planned import planned_task
from stabbench.recipes import parse_recipe
from stabbench.records.run import RunRecord
from stabbench.records.seeds import Seeds
from stabbench.records.store import FILE
from stabbench.runner.execute import execute
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_TASK, Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import EXECUTORS, Resources

if TYPE_CHECKING:
    from stabbench.engine.job import Job, Tick
    from stabbench.records.history import Run
    from stabbench.tasks.task import Task

# Which share of their made-up runs fails.
RECIPES = {"devlin": 0.5, "mosbach": 0.01}
PARTS = ("embeddings", *(f"block {i}" for i in range(12)), "pooler", "head")
PROBES = 21
# The command itself; at its end it tells its memory.
COMMAND = """
import atexit, pathlib, sys
atexit.register(lambda: sys.stderr.write("\\n" + pathlib.Path("/proc/self/status").read_text()))
from stabbench.cli import main
main()
"""


class MadeUp(Engine):
    """In the place of the engine: the runs of a group, drawn by their seeds."""

    def train(self, job: Job, tick: Tick) -> list[Run]:
        """As for the engine."""
        return _made_up(job, planned_task(job.task, str(job.fingerprint.experiment["data"])), tick)


def _made_up(job: Job, task: Task, tick: Tick) -> list[Run]:
    import torch

    from stabbench.engine.curve import Curve
    from stabbench.engine.evaluate import Split
    from stabbench.engine.inputs import Inputs
    from stabbench.engine.results import measured
    from stabbench.engine.train import Trained
    from stabbench.recipes import planned_steps

    steps, count = planned_steps(job.recipe, task.schedule_size, None), len(job.seeds)
    draws = [random.Random(f"{job.label} {seeds.seed}") for seeds in job.seeds]
    noise = torch.Generator().manual_seed(job.seeds[0].seed)
    trained = Trained(
        losses=torch.rand((steps, count), generator=noise),
        probe_steps=[1 + i * (steps - 1) // (PROBES - 1) for i in range(PROBES)],
        gradient_norms={part: torch.rand((PROBES, count), generator=noise) for part in PARTS},
    )
    scores = [
        task.constant_score if draw.random() < RECIPES[job.label] else round(min(1.0, draw.gauss(0.78, 0.015)), 3)
        for draw in draws
    ]
    split = Split(Inputs({}, torch.zeros(0), np.zeros((0, 0), bool)), task.evaluation, task)
    curve = Curve(split, None, steps=[steps], scores=[list(scores)])
    tick(steps * count)
    return [measured(job, task, trained, curve, number, 0.0) for number in range(count)]


class Gauge(Progress):
    """Watches the memory of this process, the driver, while runs are recorded."""

    def __init__(self) -> None:
        self.recorded: Counter[tuple[str, int]] = Counter()
        self.start = self.half = self.end = 0.0
        self._half_way = 0

    def planned(self, stored: int, to_run: int, steps: int) -> None:  # noqa: ARG002
        self._half_way, self.start = to_run // 2, memory("VmRSS")

    def note(self, text: str) -> None:
        click.echo(f"note: {text}", err=True)

    def finished(self, records: Sequence[RunRecord]) -> None:
        self.recorded.update((record.recipe, record.seeds.seed) for record in records)
        self.end = memory("VmRSS")
        if not self.half and self.recorded.total() >= self._half_way:
            self.half = self.end


def memory(what: str) -> float:
    """MiB of this process, as Linux counts them: ``VmRSS`` now, ``VmHWM`` at its highest."""
    return _mib(what, Path("/proc/self/status").read_text())


def _mib(what: str, status: str) -> float:
    found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def command(*arguments: str | Path) -> tuple[str, float, float]:
    """What a ``stabbench`` command prints, its seconds, and the MiB of its memory at its highest."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    # A verdict is no error; nor may anything be left to train.
    if done.returncode not in (0, 1, 2) or " to train" in done.stderr or "Error" in done.stderr:
        raise click.ClickException(f"stabbench {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout, time.perf_counter() - started, _mib("VmHWM", done.stderr)


@click.command(help=__doc__)
@click.option("--seeds", type=click.IntRange(min=2), default=10_000, show_default=True, help="Of each of two recipes.")
@click.option("--executor", type=click.Choice(EXECUTORS), default="local", show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--stack", type=click.IntRange(min=1), help="Seeds in a group  [default: chosen].")
@click.option(
    "--store", "kept", type=click.Path(path_type=Path), help="A new folder to keep  [default: a temporary one]."
)
def main(seeds: int, executor: str, workers: int, stack: int | None, kept: Path | None) -> None:  # noqa: D103
    click.echo(f"NOTHING IS TRAINED HERE: {len(RECIPES)} x {seeds:,} made-up runs, executor {executor}.\n")
    with _folder(kept) as store:
        gauge, seconds = _record(seeds, executor, workers, stack, store)
        rows = [["record", seconds, gauge.recorded.total(), memory("VmHWM")], *_commands(seeds, store)]
        size = (store / FILE).stat().st_size
    shown = [[what, f"{seconds:.1f}", f"{count:,}", f"{most:.0f}"] for what, seconds, count, most in rows]
    headers = ["what", "seconds", "runs", "MiB at its highest"]
    click.echo(tabulate(shown, headers, disable_numparse=True, colalign=("left", "right", "right", "right")))
    click.echo(
        f"\nevery seed of every recipe was recorded exactly once; {size / gauge.recorded.total() / 1024:.1f} KiB a run"
    )
    click.echo(f"memory of the driver, MiB: start {gauge.start:.0f}, half way {gauge.half:.0f}, end {gauge.end:.0f}")


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None and kept.exists():
        raise click.UsageError(f"{kept} is there already: made-up runs belong to a store of their own")
    with tempfile.TemporaryDirectory(prefix="stabbench-dry-") as folder:
        yield kept or Path(folder) / "store"


def _record(seeds: int, executor: str, workers: int, stack: int | None, store: Path) -> tuple[Gauge, float]:
    plan = Plan(
        recipes=[parse_recipe(name) for name in RECIPES],
        task=DEFAULT_TASK,
        model=DEFAULT_MODEL,
        seeds=[Seeds.of(number) for number in range(seeds)],
    )
    resources = Resources(store, device="cpu", stack=stack, workers=workers, executor=executor)
    resolved = dataclasses.replace(resolve(plan, resources), trainer=MadeUp())
    gauge, started = Gauge(), time.perf_counter()
    execute(plan, resources, gauge, resolved).check_complete()
    _check_once(gauge.recorded, seeds)
    return gauge, time.perf_counter() - started


def _commands(seeds: int, store: Path) -> Iterator[tuple[str, float, int, float]]:
    """What the commands that read the store take, on all runs; the gate's baseline has half of the seeds."""
    total, half = len(RECIPES) * seeds, seeds // 2
    common = ("--store", store, "--device", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        result, baselines = Path(folder, "compared.json"), ("--baselines", Path(folder, "baselines.json"))
        listed, *cost = command("list", "runs", "--store", store)
        _check_once(Counter(re.findall(r"  (\w+)  seed (\d+)  ", listed)), seeds)
        yield "list runs", cost[0], total, cost[1]
        for what, more in (("compare", ()), ("compare --json", ("--json", result)), ("compare --check", ("--check",))):
            _, *cost = command("compare", *RECIPES, "--seeds", str(seeds), *more, *common)
            yield what, cost[0], total, cost[1]
        _, *cost = command("baseline", "record", *RECIPES, "--seeds", str(half), *baselines, *common)
        yield "baseline record", cost[0], len(RECIPES) * half, cost[1]
        _, *cost = command("gate", "--seeds", str(seeds - half), *baselines, *common)
        yield "gate", cost[0], total, cost[1]


def _check_once(found: Counter[tuple[str, str]] | Counter[tuple[str, int]], seeds: int) -> None:
    expected = {(name, str(number)) for name in RECIPES for number in range(seeds)}
    if {(name, str(number)) for name, number in found} != expected or set(found.values()) != {1}:
        raise click.ClickException("not every seed was recorded exactly once")


if __name__ == "__main__":
    main()
