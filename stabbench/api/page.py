"""`stabbench report` as a function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stabbench.api.arguments import IN_PYTHON, load_plugins, plan_of
from stabbench.gate.rules import Rules
from stabbench.recipes import Recipe
from stabbench.records.seeds import Seeds
from stabbench.report.page.build import runs_subject
from stabbench.report.page.make import write_report
from stabbench.runner.plan import DEFAULT_MODEL, DEFAULT_SEEDS, DEFAULT_TASK
from stabbench.runner.resources import DEFAULT_STORE, Resources
from stabbench.runner.stored import find_stored
from stabbench.tasks.task import Task


def report(
    recipes: Sequence[str | Recipe],
    output: str | Path = "report.html",
    *,
    task: str | Task = DEFAULT_TASK,
    model: str = DEFAULT_MODEL,
    seeds: int | Sequence[int | Seeds] = DEFAULT_SEEDS,
    revision: str | None = None,
    data_dir: str | Path | None = None,
    max_steps: int | None = None,
    rules: Rules | None = None,
    store: str | Path = DEFAULT_STORE,
    device: str | None = None,
    plugins: Sequence[str] = (),
    allow_pickle: bool = False,
) -> dict[str, list[int]]:
    """Write a page about stored runs: verdict, pictures, tables. Nothing is trained.

    Args:
        recipes: As for :func:`compare`, and so are all that name runs.
        output: The page: a file that ends in .html, or a folder, where the style is a file of its own.
        task: A task's name, its file, or a :class:`stabbench.Task`.
        model: ``"lab"``, a local folder or a hub id.
        seeds: The number of seeds (0 to n - 1), or a list.
        revision: The branch, tag or commit of a hub model.
        data_dir: The folder of the official GLUE TSV files.
        max_steps: Where the trainings were cut short.
        rules: Of the verdicts; None takes the defaults.
        store: The folder of the run store.
        device: On which they were trained.
        plugins: Modules that define recipes, tasks or metrics.
        allow_pickle: Whether the model may have pickled weights.

    Returns:
        For each recipe that lacks runs the seeds of these; the page says them, too.

    Raises:
        StabbenchError: Bad input, a store that has none of the runs, or a page that cannot be written.
    """
    load_plugins(plugins)
    plan = plan_of(recipes, task, model, seeds, revision, data_dir, max_steps)
    stored = find_stored(plan, Resources(Path(store), device, plugins=plugins, allow_pickle=allow_pickle))
    write_report(
        runs_subject(stored.recipes, rules or Rules(), stored.lacking, IN_PYTHON.format("report")), Path(output)
    )
    return stored.missing
