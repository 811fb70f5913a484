"""`stabbench gate` and `stabbench baseline` as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.api.arguments import load_plugins, path, plan_of, some
from stabbench.gate import update
from stabbench.gate.baselines import Baseline
from stabbench.gate.baselines_file import load
from stabbench.gate.compatibility import DEFAULT_POLICY, Policy
from stabbench.gate.gate import DEFAULT_GATE_SEEDS, GateOptions
from stabbench.gate.gate import gate as run_gate
from stabbench.gate.plans import chosen
from stabbench.gate.rules import Rules
from stabbench.recipes import Recipe
from stabbench.report.printed_gate import PrintedGate
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_TASK
from stabbench.runner.progress import Progress
from stabbench.runner.resources import DEFAULT_BASELINES, DEFAULT_STORE, Resources
from stabbench.tasks.task import Task

#: Of a baseline, where no number of seeds is given.
BASELINE_SEEDS = 50


def gate(
    recipes: Sequence[str] = (),
    *,
    baselines: str | Path = DEFAULT_BASELINES,
    task: str | Task | None = None,
    seeds: int | Sequence[int] = DEFAULT_GATE_SEEDS,
    sequential: bool = False,
    environment: Policy = DEFAULT_POLICY,
    rules: Rules | None = None,
    model: str | None = None,
    data_dir: str | Path | None = None,
    store: str | Path = DEFAULT_STORE,
    device: str | None = None,
    workers: int | None = 1,
    stack: int | None = None,
    executor: str = "local",
    ray_address: str | None = None,
    plugins: Sequence[str] = (),
    allow_pickle: bool = False,
    track: Sequence[str] = (),
    progress: Progress | None = None,
) -> PrintedGate:
    """Judge recipes against their baselines: train what the store lacks, and compare.

    Args:
        recipes: Names of recipes in the baselines file; () for all its cells.
        baselines: The file.
        task: Only the cells of this task; a :class:`stabbench.Task` where they were recorded with one.
        seeds: The number of new seeds for each cell, never the baseline's; or a list.
        sequential: Judge after each quarter of the seeds, and stop where a cell is decided.
        environment: What must be as in the baseline: ``"any"`` for nothing, ``"device"``, or ``"same"`` for all.
        rules: When a cell fails, and when it passes; None takes the defaults.
        model: In place of the baselines' model: the same weights in another folder.
        data_dir: The folder of the official GLUE TSV files.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``; None takes the baseline's.
        workers: As for :func:`compare`, and so are all that follow.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` or ``"ray"``.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes, tasks or metrics.
        allow_pickle: Whether pickled weights may be loaded.
        track: Trackers that every run is logged to, once.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, or no such cell. What goes wrong with one cell is its verdict.
    """
    load_plugins(plugins)
    resources = Resources(Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle, track)
    options = GateOptions(
        seeds=seeds,
        rules=rules or Rules(),
        policy=environment,
        sequential=sequential,
        model=model,
        task=task if isinstance(task, Task) else None,
        data_dir=path(data_dir),
    )
    cells = chosen(load(Path(baselines)), some(recipes, "recipes"), task)
    return PrintedGate.of(run_gate(cells, options, resources, progress))


def record_baselines(
    recipes: Sequence[str | Recipe],
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    task: str | Task = DEFAULT_TASK,
    model: str = DEFAULT_MODEL,
    seeds: int | Sequence[int] = BASELINE_SEEDS,
    revision: str | None = None,
    data_dir: str | Path | None = None,
    max_steps: int | None = None,
    store: str | Path = DEFAULT_STORE,
    device: str | None = None,
    workers: int | None = 1,
    stack: int | None = None,
    executor: str = "local",
    ray_address: str | None = None,
    plugins: Sequence[str] = (),
    allow_pickle: bool = False,
    track: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Baseline]:
    """Run recipes over seeds and add them to a baselines file.

    Args:
        recipes: As for :func:`compare`, and so are all but ``baselines``.
        baselines: The file, which may not be there yet.
        task: A task's name, its file, or a :class:`stabbench.Task`.
        model: ``"lab"``, a local folder or a hub id.
        seeds: The number of seeds (0 to n - 1), or a list.
        revision: The branch, tag or commit of a hub model.
        data_dir: The folder of the official GLUE TSV files.
        max_steps: Cuts every training short, for trials.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: Processes.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` or ``"ray"``.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes, tasks or metrics.
        allow_pickle: Whether pickled weights may be loaded.
        track: Trackers that every run is logged to, once.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, missing runs, or a cell that is there already; nothing is written then.
    """
    load_plugins(plugins)
    plan = plan_of(recipes, task, model, seeds, revision, data_dir, max_steps)
    resources = Resources(Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle, track)
    return update.record(plan, resources, Path(baselines), progress)


def update_baselines(
    recipes: Sequence[str] = (),
    baselines: str | Path = DEFAULT_BASELINES,
    *,
    task: str | None = None,
    seeds: int = 0,
    reason: str = "",
    data_dir: str | Path | None = None,
    store: str | Path = DEFAULT_STORE,
    device: str | None = None,
    workers: int | None = 1,
    stack: int | None = None,
    executor: str = "local",
    ray_address: str | None = None,
    plugins: Sequence[str] = (),
    allow_pickle: bool = False,
    track: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Baseline]:
    """Train the cells of a baselines file with the current recipes, and replace the old scores by the new ones.

    Args:
        recipes: As for :func:`gate`, and so are all but ``seeds`` and ``reason``.
        baselines: The file.
        task: Only the cells of this task.
        seeds: The least number of seeds; those that a baseline has are kept.
        reason: Why a baseline may become easier to pass; empty where it may not.
        data_dir: The folder of the official GLUE TSV files.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``; None takes the baseline's.
        workers: Processes.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` or ``"ray"``.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes, tasks or metrics.
        allow_pickle: Whether pickled weights may be loaded.
        track: Trackers that every run is logged to, once.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, missing runs, or a looser baseline without a reason. The cells before it are written.
    """
    load_plugins(plugins)
    resources = Resources(Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle, track)
    file, made = Path(baselines), []
    for old in chosen(load(file), some(recipes, "recipes"), task):
        new = update.rerun(old, resources, seeds=seeds, data_dir=path(data_dir), progress=progress)
        made.append(update.replace(old, new, reason, file, progress))
    return made
