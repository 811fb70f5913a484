"""Running a study: plan after plan, one for each task and model; what is stored already is not trained again."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stabbench.cells import Prepared, prepare
from stabbench.comparison import RecipeRuns
from stabbench.experiment import Execution, execute
from stabbench.plan import DEFAULT_STORE, Plan
from stabbench.preflight import check_fits
from stabbench.recipes import load_plugin
from stabbench.records import RunRecord
from stabbench.studies.kinds import KINDS
from stabbench.studies.loading import load_study
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.study import Study, replace
from stabbench.studies.views import VIEWS
from stabbench.tasks import folder_for
from stabbench.watcher import Watcher


def run_study(
    study: str | Study,
    *,
    tasks: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    store: str | Path = DEFAULT_STORE,
    workers: int | None = 1,
    watcher: Watcher | None = None,
    **options: Any,
) -> StudyResult:
    """Run a study, or take what the store has of it.

    Args:
        study: The name of a shipped one, a ``.toml`` or ``.py`` file, or a :class:`stabbench.Study`.
        tasks: In place of the study's.
        models: In place of the study's.
        seeds: In place of the study's: a number, or a list.
        store: The folder of the run store.
        workers: Processes; more than one need a script whose main part is guarded.
        watcher: Told how the training goes.
        options: Further fields of :class:`stabbench.plan.Plan`: ``revision``, ``data_dir``, ``stack``,
            ``max_steps``, ``device``, ``plugins``, ``allow_pickle``.

    Raises:
        StabbenchError: Bad input, or runs that ended as ``missing``: those of the other tasks are stored by then.
    """
    for plugin in options.get("plugins", ()):
        load_plugin(plugin)
    chosen = replace(load_study(study) if isinstance(study, str) else study, tasks=tasks, models=models, seeds=seeds)
    watcher = watcher or Watcher()
    # Everything is found before anything is trained: a mistake in the last task should not show after hours.
    plans = [(plan, prepare(plan)) for plan in _plans(chosen, {**options, "workers": workers})]
    if KINDS[chosen.view].needs_runs:
        check_fits(plans, Path(store))
    rows: list[Row] = []
    done: list[Execution] = []
    for number, (plan, ready) in enumerate(plans, start=1):
        runs: Mapping[str, Sequence[RunRecord]] = {}
        if KINDS[chosen.view].needs_runs:
            if len(plans) > 1:
                watcher.note(f"{chosen.name}, part {number} of {len(plans)}: {plan.task}, model {plan.model}")
            done.append(execute(plan, Path(store), watcher, ready))
            runs = done[-1].runs
        rows += _rows(chosen, plan, ready, runs)
    for execution in done:
        execution.check_complete()
    return StudyResult(chosen, rows, Path(store), VIEWS[chosen.view])


def _plans(study: Study, options: Mapping[str, Any]) -> list[Plan]:
    """One for each model, task and variant."""
    recipes = [point.recipe for point in study.points()]
    plans: list[Plan] = []
    for model, task, variant in itertools.product(study.models, study.tasks, study.variants):
        base, _, own = task.partition(":")
        both = ",".join(filter(None, [own, variant]))
        given = {**options, "data_dir": folder_for(base, options.get("data_dir"))}
        name = f"{base}:{both}" if both else base
        plans.append(Plan(recipes=recipes, task=name, model=model, seeds=study.seed_list(), **given))
    return plans


def _rows(study: Study, plan: Plan, ready: Prepared, runs: Mapping[str, Sequence[RunRecord]]) -> list[Row]:
    name, _, variant = plan.task.partition(":")
    return [
        Row(
            recipe=point.text,
            resolved=cell.recipe,
            varied=point.varied,
            task=name,
            variant=variant,
            model=plan.model,
            metric=ready.task.metric,
            constant_score=ready.task.constant_score,
            steps=cell.steps,
            cut=cell.steps < cell.whole_steps,
            runs=RecipeRuns(cell.label, runs.get(cell.label, [])),
        )
        for point, cell in zip(study.points(), ready.cells, strict=True)
    ]
