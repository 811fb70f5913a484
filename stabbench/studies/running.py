"""Running a study: plan after plan, one for each task and model; what is stored already is not trained again."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from stabbench.errors import StudyError
from stabbench.models.source import find_model
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.runner.cells import AnyResolved, Cell, RecipeCell, ResolvedRecipes, TrainingCell
from stabbench.runner.check_fits import check_fits
from stabbench.runner.execute import Execution, execute
from stabbench.runner.methods import Method
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.studies.kinds import KINDS
from stabbench.studies.measuring import MEASURES, texts_of
from stabbench.studies.result import Row, StudyResult
from stabbench.studies.study import Study, replace
from stabbench.studies.views import VIEWS
from stabbench.studies.with_weights import Measured
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.registry import find_task, split_name
from stabbench.trainings.training import Training


def run_study(
    study: Study,
    resources: Resources,
    *,
    tasks: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    texts: str | None = None,
    revision: str | None = None,
    data_dir: Path | None = None,
    max_steps: int | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Run a study, or take what the store has of it.

    Args:
        study: The study.
        resources: How the runs are trained.
        tasks: Replace the study's tasks.
        models: Replace the study's models.
        seeds: Replace the study's seeds: a number, or a list.
        texts: Replaces the file of the study's texts.
        revision: The revision of hub models.
        data_dir: The folder of the official GLUE TSV files; None loads GLUE from the hub.
        max_steps: Cuts every training short, for trials.
        progress: Progress callbacks.

    Raises:
        StabbenchError: Bad input, or runs that ended as ``missing``: those of the other tasks are stored by then.
    """
    study = replace(study, tasks=tasks, models=models, seeds=seeds, texts=texts)
    kind = KINDS[study.view]
    resources = dataclasses.replace(resources, keep_weights=resources.keep_weights or kind.needs_weights)
    progress = progress or Progress()
    # Everything is found before anything is trained: a mistake in the last task should not show after hours.
    plans = [resolve(plan, resources) for plan in _plans(study, resources, revision, data_dir, max_steps)]
    trains = kind.needs_runs
    if kind.needs_texts:
        for resolved in plans:
            texts_of(study.texts, resolved.plan.model)
    if trains:
        check_fits([plan for plan in plans if isinstance(plan, ResolvedRecipes)], resources.store)
    rows: list[Row] = []
    done: list[Execution] = []
    for number, resolved in enumerate(plans, start=1):
        plan = resolved.plan
        runs: Sequence[RecipeRuns] = [RecipeRuns(c.label, [], whole_steps=c.whole_steps) for c in resolved.cells]
        if trains:
            if len(plans) > 1:
                progress.note(f"{study.name}, part {number} of {len(plans)}: {resolved.task_name}, model {plan.model}")
            done.append(execute(plan, resources, progress, resolved))
            runs = done[-1].results()
        rows += _rows(study, resolved, runs)
    for execution in done:
        execution.check_complete()
    measured: list[Measured] = []
    if kind.needs_weights:
        pairs = zip(plans, done, strict=True)
        measured = [_measure(study, resolved, execution, resources, progress) for resolved, execution in pairs]
    return StudyResult(study, rows, resources.store, VIEWS[study.view], measured)


def _measure(
    study: Study, resolved: AnyResolved, execution: Execution, resources: Resources, progress: Progress
) -> Measured:
    """What the study's view shows besides the runs."""
    assert isinstance(resolved, ResolvedRecipes), "weights of training code are not kept"
    name, _, variant = resolved.task_name.partition(":")
    place = name, variant, resolved.plan.model
    measure = MEASURES[study.view]
    return measure(resolved, execution.results(), place, resources, progress, study.texts)


def _plans(
    study: Study, resources: Resources, revision: str | None, data_dir: Path | None, max_steps: int | None
) -> list[Plan]:
    """One for each model, task and variant."""
    for method in (point.recipe for point in study.points()):
        if isinstance(method, Training) and method.constant_score is None:
            raise StudyError(
                f"study {study.name!r}: nothing says what the best constant predictor scores in {method.label!r}",
                "its file needs constant_score, or labels and metric",
            )
    plans: list[Plan] = []
    for model in study.models:
        family = find_model(model, revision, allow_pickle=resources.allow_pickle).family if study.settings else ""
        for task, variant in itertools.product(study.tasks, study.variants):
            base, own = split_name(task)
            both = ",".join(filter(None, [own, variant]))
            name = f"{base}:{both}" if both else base
            folder = find_task(base, data_dir, shared=True).folder
            mirrored = LAB_TASKS[base].mirrors if base in LAB_TASKS else base
            of_setting = study.parameters_for(family, base) or study.parameters_for(family, mirrored)
            recipes = [point.recipe for point in study.points(of_setting)]
            plans.append(Plan(recipes, name, model, study.seed_list(), revision, folder, max_steps))
    return plans


def _rows(study: Study, resolved: AnyResolved, runs: Sequence[RecipeRuns]) -> list[Row]:
    name, _, variant = resolved.task_name.partition(":")
    return [
        Row(
            recipe=point.text,
            varied=point.varied,
            task=name,
            variant=variant,
            model=resolved.plan.model,
            runs=own,
            **_of_cell(cell, own),
        )
        for point, cell, own in zip(study.points(), resolved.cells, runs, strict=True)
    ]


class _OfCell(TypedDict):
    resolved: Method
    metric: str
    constant_score: float
    steps: int
    cut: bool


def _of_cell(cell: Cell, runs: RecipeRuns) -> _OfCell:
    if isinstance(cell, RecipeCell):
        return {
            "resolved": cell.recipe,
            "metric": cell.task.metric,
            "constant_score": cell.task.constant_score,
            "steps": cell.steps,
            "cut": cell.steps < cell.whole_steps,
        }
    assert isinstance(cell, TrainingCell)
    scoring = cell.training.scoring
    assert scoring.constant_score is not None
    return {
        "resolved": cell.training,
        "metric": scoring.name,
        "constant_score": scoring.constant_score,
        "steps": max((record.steps for record in runs.records), default=0),
        "cut": False,
    }
