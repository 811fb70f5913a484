"""Finds the baselines that a user names, and makes the plan that trains a baseline's cell again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stabbench.errors import StabbenchError, TaskError
from stabbench.gate.baselines import Baseline, select
from stabbench.records.run import RunRecord
from stabbench.records.seeds import Seeds
from stabbench.records.setting import TRAINING_MODEL, TRAINING_TASK
from stabbench.runner.methods import Method, find_method, label_of
from stabbench.runner.plan import Plan
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import find_task, record_name, split_name, task_file, task_names
from stabbench.tasks.task import Task
from stabbench.trainings.command import CommandTraining
from stabbench.trainings.training import Training


def chosen(cells: Mapping[str, Baseline], recipes: Sequence[str], task: str | Task | None) -> list[Baseline]:
    """The cells that a command names, in any spelling: ``devlin:lr=0.00001`` is the cell ``devlin:lr=1e-5``.

    Raises:
        BaselineError: As :func:`stabbench.gate.baselines.select`.
        TaskError: A variant of the task that does not exist.
    """
    labels = {cell.recipe for cell in cells.values()}
    return select(cells, [label_of(text, labels) for text in recipes], None if task is None else record_name(task))


def plan_of(
    baseline: Baseline, seeds: Sequence[int], data_dir: Path | None, model: str | None = None, given: Task | None = None
) -> Plan:
    """The plan that trains ``baseline`` again.

    Args:
        baseline: The cell.
        seeds: The seeds of the new runs.
        data_dir: The folder of the official GLUE TSV files; it may be for other cells of the file.
        model: Replaces the baseline's model by the same weights in another folder.
        given: The baseline's task, where it is an object.

    Raises:
        StabbenchError: An unknown recipe or task, or runs that were measured elsewhere.
    """
    if baseline.measured_elsewhere:
        raise StabbenchError(
            f"the runs of {baseline.name} were measured elsewhere",
            f"to judge others: stabbench gate --from {baseline.recipe}=PATH",
        )
    if baseline.training is not None:
        return Plan([_training_of(baseline)], TRAINING_TASK, TRAINING_MODEL, [Seeds.of(n) for n in seeds])
    task = given if given is not None and given.name == baseline.task else task_of(baseline)
    if isinstance(task, str):
        _check_known(task, baseline)
    return Plan(
        recipes=[find_method(baseline.recipe)],
        task=task,
        model=model or baseline.model,
        seeds=[Seeds.of(n) for n in seeds],
        # The revision belongs to the model that the baseline names.
        revision=None if model else baseline.revision,
        data_dir=find_task(task, data_dir, shared=True).folder,
        max_steps=baseline.experiment.get("max_steps"),
    )


def _training_of(baseline: Baseline) -> Method:
    """The training of its file, with the parameters of its label."""
    if baseline.task_file is None:
        raise StabbenchError(
            f"the runs of {baseline.name} are those of a function",
            "to judge others: stability.measure(…).not_less_stable_than_baseline() in a test",
        )
    _, colon, parameters = baseline.recipe.partition(":")
    return find_method(f"{baseline.task_file}{colon}{parameters}")


def trainings_of(baselines: Iterable[Baseline]) -> list[Training]:
    """The trainings of those cells that have one, as far as their files can be read."""
    found = []
    for baseline in baselines:
        with contextlib.suppress(StabbenchError):  # said when it is trained again
            method = None if baseline.training is None else _training_of(baseline)
            found += [method] if isinstance(method, Training) else []
    return found


def resources_for(baseline: Baseline, resources: Resources) -> Resources:
    """The resources to train ``baseline`` again: on its own device, where none is chosen."""
    return dataclasses.replace(resources, device=resources.device or baseline.environment.get("device"))


def task_of(baseline: Baseline) -> str:
    """How a plan names the task of a cell: by its file, if it has one, with the options of a variant behind it."""
    _, options = split_name(baseline.task)
    if baseline.task_file is None:
        return baseline.task
    return baseline.task_file if options is None else f"{baseline.task_file}:{options}"


def _check_known(task: str, baseline: Baseline) -> None:
    name, _ = split_name(task)
    if baseline.task_file is None and name not in task_names():
        raise TaskError(
            f"the task {name!r} of the baseline {baseline.name} is not known here: a plugin or package defines it, or "
            "it was an object in Python",
            "name its module with --plugin; an object is given to stabbench.gate(task=…), or made known to commands by "
            f"a plugin: @stabbench.task({name!r})",
        )


def baseline_of(plan: Plan, records: Sequence[RunRecord]) -> Baseline:
    """The baseline that the records of one recipe of a plan make, by which its task or training is found again."""
    file = None if isinstance(plan.task, Task) else task_file(plan.task)
    for training in plan.trainings:
        if training.label == records[0].recipe and isinstance(training, CommandTraining):
            file = os.path.relpath(training.file)
    return dataclasses.replace(Baseline.of(records), task_file=file)
