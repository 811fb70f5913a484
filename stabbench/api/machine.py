"""`stabbench doctor` as a function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.api.arguments import load_plugins, plan_of
from stabbench.recipes import Recipe
from stabbench.records.seeds import Seeds
from stabbench.report.estimate import PrintedEstimate
from stabbench.runner.estimate import estimate
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK
from stabbench.runner.progress import Progress
from stabbench.runner.resources import DEFAULT_STORE, Resources
from stabbench.tasks.task import Task


def doctor(
    recipes: Sequence[str | Recipe],
    *,
    task: str | Task = DEFAULT_TASK,
    model: str = DEFAULT_MODEL,
    seeds: int | Sequence[int | Seeds] = DEFAULT_SEEDS,
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
    progress: Progress | None = None,
) -> PrintedEstimate:
    """Find out how recipes would be trained here, and for how long. Trains a few steps, and stores nothing.

    Args:
        recipes: As for :func:`compare`, and so are all that follow.
        task: A task's name, its file, or a :class:`stabbench.Task`.
        model: ``"lab"``, a local folder or a hub id.
        seeds: The number of seeds (0 to n - 1), or a list.
        revision: The branch, tag or commit of a hub model.
        data_dir: The folder of the official GLUE TSV files.
        max_steps: Cuts every training short, for trials.
        store: The folder of the run store: what it has needs no training.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: Processes; None takes one a core, as far as memory allows, or one a GPU.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` or ``"ray"``.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes, tasks or metrics.
        allow_pickle: Whether pickled weights may be loaded.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input.
    """
    load_plugins(plugins)
    plan = plan_of(recipes, task, model, seeds, revision, data_dir, max_steps)
    resources = Resources(Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle)
    return PrintedEstimate.of(estimate(plan, resources, progress))
