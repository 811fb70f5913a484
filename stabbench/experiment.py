"""Planning and running: which runs are asked for, which are stored already, and the rest to an executor, in groups."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stabbench.errors import RecipeError, StabbenchError
from stabbench.executors import Executor, InProcess, ProcessPool
from stabbench.fingerprint import fingerprint
from stabbench.models.families import defaults_of
from stabbench.models.source import ModelSource, find_model
from stabbench.recipes import Recipe
from stabbench.records import Fingerprint, Outcome, RunRecord
from stabbench.seeds import Seeds
from stabbench.store import Store
from stabbench.tasks import Task, load_task

# Stacking pays while a step is bound by overheads; beyond about eight seeds of the lab model it gains little more.
MOST_STACKED = 8
# A larger model keeps a core busy by itself, and K copies of it only cost memory.
STACK_WEIGHTS_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Plan:
    """A comparison to be run: every recipe on every seed.

    Attributes:
        recipes: Recipes with the parameters that the user set.
        task: The task's name.
        model: A preset, a folder or a hub id.
        seeds: The runs of each recipe.
        revision: Of a hub model.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        stack: Seeds trained together; None chooses.
        max_steps: Cuts every training short, for trials.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
        workers: Processes; None takes one a core on the CPU and one on a GPU.
        plugins: Modules that define recipes, for the workers.
        allow_pickle: Weights may be unpickled.

    Raises:
        RecipeError: A recipe given twice.
        StabbenchError: Seeds that are negative or given twice, or none.
    """

    recipes: Sequence[Recipe]
    task: str
    model: str
    seeds: Sequence[Seeds]
    revision: str | None = None
    data_dir: Path | None = None
    stack: int | None = None
    max_steps: int | None = None
    device: str = "auto"
    workers: int | None = None
    plugins: Sequence[str] = ()
    allow_pickle: bool = False

    def __post_init__(self) -> None:
        labels = [recipe.label for recipe in self.recipes]
        for label in labels:
            if labels.count(label) > 1:
                raise RecipeError(f"recipe {label!r} is given twice", "a comparison needs different recipes")
        numbers = [seeds.seed for seeds in self.seeds]
        if not numbers:
            raise StabbenchError("no seeds", "give a number of seeds, or a list such as 3,7,11")
        for number in numbers:
            if number < 0:
                raise StabbenchError(f"seed {number} is negative", "seeds count from 0")
            if numbers.count(number) > 1:
                raise StabbenchError(f"seed {number} is given twice", "every seed is one run; give each once")
        for name, value in (("stack", self.stack), ("max_steps", self.max_steps), ("workers", self.workers)):
            if value is not None and value < 1:
                raise StabbenchError(f"{name} must be at least 1, got {value}")


class Watcher:
    """Told how an execution goes; this one keeps quiet."""

    def planned(self, stored: int, to_run: int, steps: int) -> None:
        """How many runs are stored already, how many will be trained, and their seed-steps in all."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def tick(self, steps: int) -> None:
        """So many seed-steps were made."""

    def finished(self, records: Sequence[RunRecord]) -> None:
        """A group of runs of one recipe is done and stored."""


@dataclass(frozen=True)
class Execution:
    """Everything that a plan asked for, as stored.

    Attributes:
        task: The task with its data.
        model: The model as the user named it.
        runs: For each recipe's label its records, in the order of the plan's seeds.
    """

    task: Task
    model: str
    runs: dict[str, list[RunRecord]] = field(default_factory=dict)


def execute(plan: Plan, store_folder: Path, watcher: Watcher | None = None) -> Execution:
    """Run what is not stored yet, and give back everything.

    Raises:
        StabbenchError: Bad input, or runs that ended as ``missing``; what was measured is stored all the same.
    """
    watcher = watcher or Watcher()
    model = find_model(plan.model, plan.revision, allow_pickle=plan.allow_pickle)
    task = load_task(plan.task, plan.data_dir)
    device = _device(plan.device)
    digest = model.digest()
    cells: list[tuple[Recipe, Recipe, Fingerprint]] = []
    for recipe in plan.recipes:
        resolved = recipe.resolved(defaults_of(model.family))
        made_of = fingerprint(resolved, task, digest, model.lr_multiplier, device, plan.max_steps)
        cells.append((recipe, resolved, made_of))

    with Store(store_folder) as store:
        wanted = [made_of.run_id(seeds) for _, _, made_of in cells for seeds in plan.seeds]
        stored = {i: r for i, r in store.get(wanted).items() if r.outcome is not Outcome.MISSING}
        todo = [
            (recipe, resolved, made_of, [s for s in plan.seeds if made_of.run_id(s) not in stored])
            for recipe, resolved, made_of in cells
        ]
        if any(seeds for *_, seeds in todo):
            _train(plan, task, model, device, todo, len(stored), store, watcher)
        records = store.get(wanted)

    missing = [r for r in records.values() if r.outcome is Outcome.MISSING]
    if missing:
        raise StabbenchError(
            f"{len(missing)} of {len(wanted)} runs are missing: {missing[0].reason}",
            "what was measured is stored; the same command tries the rest again (a smaller --stack needs less memory)",
        )
    return Execution(
        task,
        plan.model,
        {recipe.label: [records[made_of.run_id(s)] for s in plan.seeds] for recipe, _, made_of in cells},
    )


Todo = tuple[Recipe, Recipe, Fingerprint, list[Seeds]]


def _train(
    plan: Plan,
    task: Task,
    model: ModelSource,
    device: str,
    todo: Sequence[Todo],
    stored: int,
    store: Store,
    watcher: Watcher,
) -> None:
    from stabbench.engine.job import Job, check_stacking, run_job
    from stabbench.engine.train import planned_steps

    steps = [planned_steps(resolved, len(task.train), plan.max_steps) * len(seeds) for _, resolved, _, seeds in todo]
    runs = sum(len(seeds) for *_, seeds in todo)
    watcher.planned(stored, runs, sum(steps))
    workers = plan.workers or (_cores() if device == "cpu" else 1)
    with _executor(min(workers, runs), plan.plugins) as executor:
        (reason,) = executor.map(check_stacking, [model], watcher.tick)
        if reason:
            watcher.note(f"model {model.name!r} is trained one seed at a time: {reason}")
        stack = 1 if reason else plan.stack
        jobs = [
            Job(
                resolved,
                recipe.label,
                plan.task,
                plan.data_dir,
                model,
                tuple(group),
                not reason,
                device,
                plan.max_steps,
                made_of,
            )
            # The longest first, so that no core waits for the last one.
            for _, (recipe, resolved, made_of, seeds) in sorted(zip(steps, todo, strict=True), key=lambda x: -x[0])
            for group in group_seeds(seeds, stack, workers, model.weights_bytes())
        ]
        for results in executor.map(run_job, jobs, watcher.tick):
            for record, history in results:
                store.put(record, history)
            watcher.finished([record for record, _ in results])


def group_seeds(seeds: Sequence[Seeds], stack: int | None, workers: int, weights_bytes: int) -> list[list[Seeds]]:
    """Split the seeds of one recipe into groups that are trained together.

    Args:
        seeds: What there is to train.
        stack: The size of a group; None chooses: as many groups as keep all workers busy, none of them larger than
            pays for a model of this size.
        workers: Processes.
        weights_bytes: The size of the model's weights.
    """
    if not seeds:
        return []
    if stack is not None:
        return [list(seeds[i : i + stack]) for i in range(0, len(seeds), stack)]
    most = max(1, min(MOST_STACKED, STACK_WEIGHTS_BYTES // max(1, weights_bytes)))
    groups = -(-len(seeds) // most)
    groups = min(len(seeds), -(-groups // workers) * workers)
    # Even groups: the first ones take one more where it does not divide.
    size, extra = divmod(len(seeds), groups)
    ends = [size * (i + 1) + min(i + 1, extra) for i in range(groups)]
    return [list(seeds[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _executor(workers: int, plugins: Sequence[str]) -> Executor:
    return InProcess() if workers == 1 else ProcessPool(workers, plugins)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device(device: str) -> str:
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise StabbenchError("no GPU: torch.cuda.is_available() is false", "leave out --device, or give --device cpu")
    return "cpu"
