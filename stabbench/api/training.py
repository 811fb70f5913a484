"""`stabbench compare` and `stabbench study` as functions, and what measures a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stabbench.api.arguments import load_plugins, path, plan_of
from stabbench.gate.comparison import Comparison
from stabbench.recipes import Recipe
from stabbench.records.seeds import Seeds, seed_list
from stabbench.report.comparison import PrintedComparison
from stabbench.runner.execute import execute
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK, Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resources import DEFAULT_STORE, Resources
from stabbench.studies import running
from stabbench.studies.loading import load_study
from stabbench.studies.result import StudyResult
from stabbench.studies.study import Study
from stabbench.tasks.task import Task
from stabbench.trainings.function import function_training


def compare(
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
    track: Sequence[str] = (),
    keep_weights: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Train recipes over seeds, or take what the store has, and put them side by side.

    Args:
        recipes: Names such as ``"devlin"`` or ``"devlin:lr=3e-5"``, or :class:`stabbench.Recipe` objects; or training
            files, ``"rte.toml"`` or ``"rte.toml:lr=3e-5"``. The first is the reference of the tests.
        task: A task such as ``"lab/entailment"`` or ``"glue/rte"``, its file, or a :class:`stabbench.Task`.
        model: ``"lab"``, a local folder or a hub id.
        seeds: The number of seeds (0 to n - 1), or a list.
        revision: The branch, tag or commit of a hub model.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        max_steps: Cuts every training short, for trials.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
        workers: Processes. More than one need a script whose main part is guarded by ``if __name__ == "__main__"``, and
            recipes that other processes can import.
        stack: Seeds trained together; None chooses.
        executor: ``"local"``, or ``"ray"`` for the machines of a Ray cluster.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes.
        allow_pickle: Whether pickled weights may be loaded.
        track: Trackers that every run is logged to, once: ``["mlflow"]``.
        keep_weights: Whether each run's trained weights are kept (:func:`kept_weights`).
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input; nothing stored is lost.
    """
    load_plugins(plugins)
    plan = plan_of(recipes, task, model, seeds, revision, data_dir, max_steps)
    resources = Resources(
        Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle, track,
        keep_weights=keep_weights,
    )  # fmt: skip
    return PrintedComparison.of_runs(execute(plan, resources, progress).check_complete().results())


def measure(
    train: Callable[[int], Any],
    *,
    name: str | None = None,
    seeds: int | Sequence[int] = DEFAULT_SEEDS,
    constant_score: float | None = None,
    metric: str = "score",
    lower_is_better: bool = False,
    store: str | Path = DEFAULT_STORE,
    device: str | None = None,
    workers: int | None = 1,
    track: Sequence[str] = (),
    progress: Progress | None = None,
) -> Comparison:
    """Train with a function over seeds, or take what the store has: the comparison of one recipe.

    Args:
        train: Called with each seed. Gives the score, or ``{"score": …, "losses": […], "predictions": […]}``: losses of
            its steps, and predictions on its evaluation set, by which runs are told apart. If it raises anything but
            KeyboardInterrupt, the run is missing.
        name: Of the training, in tables and run records; None for the function's.
        seeds: The number of seeds (0 to n - 1), or a list.
        constant_score: Of the best constant predictor, in the metric's own units: a run that is no better has failed.
        metric: The name of the score.
        lower_is_better: The metric is a loss: scores are its negatives, and it is called ``neg_`` and its name.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one: a part of the runs' identity.
        workers: Processes. More than one need a function of a module, and a script whose main part is guarded by
            ``if __name__ == "__main__"``.
        track: Trackers that every run is logged to, once: ``["mlflow"]``.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, missing runs, or runs that are the same; nothing stored is lost.
    """
    training = function_training(train, name, metric, constant_score, lower_is_better=lower_is_better)
    plan = Plan([training], DEFAULT_TASK, DEFAULT_MODEL, seed_list(seeds))
    resources = Resources(Path(store), device, workers, trackers=track)
    return PrintedComparison.of_runs(execute(plan, resources, progress).check_complete().results())


def run_study(
    study: str | Study,
    *,
    tasks: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    texts: str | Path | None = None,
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
    keep_weights: bool = False,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a study, or take what the store has of it.

    Args:
        study: The name of a shipped one, a ``.toml`` or ``.py`` file, or a :class:`stabbench.Study`.
        tasks: Replace the study's tasks.
        models: Replace the study's models.
        seeds: Replace the study's seeds: a number, or a list.
        texts: Replaces the study's file of texts, of a study of perplexity.
        revision: As for :func:`compare`, and so are all that follow.
        data_dir: The folder of the official GLUE TSV files.
        max_steps: Cuts every training short, for trials.
        store: The folder of the run store.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: Processes.
        stack: Seeds trained together; None chooses.
        executor: ``"local"`` or ``"ray"``.
        ray_address: The address of the Ray cluster.
        plugins: Modules that define recipes.
        allow_pickle: Whether pickled weights may be loaded.
        track: Trackers that every run is logged to, once: ``["mlflow"]``.
        keep_weights: Whether each run's trained weights are kept.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, or runs that ended as ``missing``: those of the other tasks are stored by then.
    """
    load_plugins(plugins)
    resources = Resources(
        Path(store), device, workers, stack, executor, ray_address, plugins, allow_pickle, track,
        keep_weights=keep_weights,
    )  # fmt: skip
    return running.run_study(
        load_study(study) if isinstance(study, str) else study,
        resources,
        tasks=tasks,
        models=models,
        seeds=seeds,
        texts=None if texts is None else str(texts),
        revision=revision,
        data_dir=path(data_dir),
        max_steps=max_steps,
        progress=progress,
    )
