"""What is refused or noted of a task's data, wherever they came from: data on which no run can mean anything."""

from __future__ import annotations

import dataclasses
from numbers import Real
from typing import Any

from stabbench.code.users_code import users_code, where
from stabbench.errors import StabbenchError, TaskError, excerpt
from stabbench.escape import is_unicode
from stabbench.tasks.metrics import find_metric, metric_names
from stabbench.tasks.task import Examples, Task

# Beyond this share a file is damaged, or of another kind than it is read as.
MOST_UNUSABLE = 0.01
# Squared errors of larger scores leave the numbers that float32 holds well; GLUE's are from 0 to 5.
LARGEST_SCORE = 1000.0


def checked(task: Task) -> Task:
    """The task with notes of what its reader should know.

    Raises:
        TaskError: Labels that are none, an evaluation set in which no run can score above the constant predictor, a
            training set of one class (of a variant, which may be meant, that is noted), or too many blank texts.
    """
    _check_content(task)
    notes = list(task.notes)
    splits = {"training": task.train, "evaluation": task.evaluation, "validation": task.validation}
    for name, examples in splits.items():
        if examples is None:
            continue
        _check_labels(task, name, examples)
        if len(set(examples.labels)) == 1:
            what = f"task {task.name!r}: the {name} set has one label only, {_label(task, examples.labels[0])}"
            if name == "evaluation":
                raise TaskError(f"{what} ({task.source})", "no run can score above the best constant predictor on it")
            if name == "training" and ":" not in task.name:
                raise TaskError(f"{what} ({task.source})", "there is nothing to learn from it")
            notes.append(what)
        if blank := _blank(examples):
            what = f"{blank:,} of {len(examples):,} rows of the {name} set have a blank text"
            if blank > max(1, MOST_UNUSABLE * len(examples)):
                raise TaskError(f"task {task.name!r}: {what} ({task.source})", "is it the right column?")
            notes.append(f"task {task.name!r}: {what}")
    made = dataclasses.replace(task, notes=tuple(notes))
    try:
        with users_code():
            _ = made.constant_score
    except StabbenchError as error:
        raise TaskError(f"task {task.name!r}: {error.message}", error.hint) from None
    except Exception as error:  # of a user's metric
        raise TaskError(f"task {task.name!r}: metric {task.metric!r} fails on a constant: {where(error)}") from error
    return made


def _check_content(task: Task) -> None:
    """That texts are texts, as many as labels, and the metric can score such labels: Python code gives anything."""
    for name, examples in (("training", task.train), ("evaluation", task.evaluation), ("validation", task.validation)):
        if examples is None:
            continue
        for texts in (examples.first, examples.second):
            if texts is not None and len(texts) != len(examples.labels):
                raise TaskError(
                    f"task {task.name!r}: {len(texts)} texts and {len(examples.labels)} labels in the {name} set"
                )
            wrong = next((text for text in texts or () if not isinstance(text, str) or not is_unicode(text)), None)
            if wrong is not None:
                raise TaskError(f"task {task.name!r}: {excerpt(wrong)} in place of a text in the {name} set")
        if (examples.second is None) != (task.train.second is None):
            raise TaskError(f"task {task.name!r}: pairs of texts in one set, single texts in another")
    metric = find_metric(task.metric)
    if task.kind not in metric.formulas:
        fitting = [other for other in metric_names() if task.kind in find_metric(other).formulas]
        what = f"{len(task.classes)} classes" if task.kind == "multi-class" else f"{task.kind} labels"
        raise TaskError(
            f"task {task.name!r}: metric {task.metric!r} does not score {what}", f"one of: {', '.join(fitting)}"
        )


def _check_labels(task: Task, name: str, examples: Examples) -> None:
    for number, label in enumerate(examples.labels, 1):
        if not _valid(task, label):
            below = f"a class number below {len(task.classes)}"
            known = f"a tuple, each {below}" if task.multi_label else below if task.classes else _IN_BOUNDS
            raise TaskError(
                f"task {task.name!r}: example {number} of the {name} set has the label {excerpt(label)}, not {known} "
                f"({task.source})"
            )


_IN_BOUNDS = f"a number within ±{LARGEST_SCORE:g}"


def _valid(task: Task, label: Any) -> bool:
    if task.multi_label:
        return isinstance(label, tuple) and all(_is_number(one) and one in range(len(task.classes)) for one in label)
    if not _is_number(label):
        return False
    return label in range(len(task.classes)) if task.classes else abs(label) <= LARGEST_SCORE


def _is_number(label: Any) -> bool:
    return isinstance(label, Real) and not isinstance(label, bool)


def _blank(examples: Examples) -> int:
    """The number of rows with a text that is empty or white space."""
    second = examples.second if examples.second is not None else examples.first
    return sum(not (a.strip() and b.strip()) for a, b in zip(examples.first, second, strict=True))


def _label(task: Task, label: Any) -> str:
    if task.multi_label:
        return excerpt([task.classes[number] for number in label])
    return repr(task.classes[int(label)]) if task.classes else f"{label:g}"
