"""A task: its digest is its content's, it is never empty, and it is found by its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stabbench.errors import TaskError
from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.metrics import METRICS
from stabbench.tasks.registry import load_task, task_names
from stabbench.tasks.task import Examples, Task

TRAIN = Examples(("a b", "c"), ("d", "e"), (0.0, 1.0))
EVALUATION = Examples(("f", "g", "h"), ("i", "j", "k"), (1.0, 0.0, 1.0))
TASK = Task("some/task", "accuracy", ("no", "yes"), TRAIN, EVALUATION, source="nowhere")


@pytest.mark.parametrize(
    "other",
    [
        replace(TASK, train=replace(TRAIN, first=("a  b", "c"))),
        replace(TASK, train=replace(TRAIN, first=("a", "b c"))),
        replace(TASK, train=replace(TRAIN, first=("c", "a b"))),
        replace(TASK, train=replace(TRAIN, second=("d", "E"))),
        replace(TASK, train=replace(TRAIN, second=None)),
        replace(TASK, train=replace(TRAIN, first=TRAIN.second or (), second=TRAIN.first)),
        replace(TASK, train=replace(TRAIN, labels=(0.0, 0.0))),
        replace(TASK, train=replace(TRAIN, labels=(0.0, 1.0000000000000002))),
        replace(TASK, train=Examples(("a b",), ("d",), (0.0,))),
        replace(TASK, evaluation=replace(EVALUATION, first=("f", "g", "é"))),
        replace(TASK, evaluation=replace(EVALUATION, labels=(1.0, 1.0, 1.0))),
        replace(TASK, train=EVALUATION, evaluation=TRAIN),
        replace(TASK, metric="f1"),
        replace(TASK, classes=("yes", "no")),
        replace(TASK, validation=TRAIN),
        replace(TASK, scheduled=2),
    ],
)
def test_the_digest_changes_with_any_text_label_or_metric(other: Task) -> None:
    assert other.digest != TASK.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(TASK),
        replace(TASK, name="another/name"),
        replace(TASK, source="somewhere else"),
        replace(TASK, train=Examples(["a b", "c"], ["d", "e"], [0.0, 1.0])),
        replace(TASK, train=replace(TRAIN, labels=(0, 1))),
    ],
    ids=["copy", "name", "source", "lists", "whole numbers"],
)
def test_the_digest_does_not_change_with_anything_else(other: Task) -> None:
    assert other.digest == TASK.digest


def test_the_digest_tells_validation_from_evaluation_and_from_a_schedule() -> None:
    split = replace(TASK, validation=TRAIN)
    others = [TASK, replace(TASK, validation=EVALUATION, evaluation=TRAIN), replace(split, scheduled=2)]
    assert len({split.digest, *(other.digest for other in others)}) == 4


@pytest.mark.parametrize(
    ("split", "word"), [("train", "training"), ("evaluation", "evaluation"), ("validation", "validation")]
)
def test_an_empty_split_is_refused(split: str, word: str) -> None:
    with pytest.raises(TaskError, match=rf"'some/task': the {word} set has no rows \(nowhere\)"):
        replace(TASK, **{split: Examples((), (), ())})


def test_the_head_has_an_output_for_each_class_and_one_for_regression() -> None:
    assert TASK.outputs == 2
    assert replace(TASK, classes=(), metric="spearman").outputs == 1


def test_epochs_are_counted_by_the_training_set_unless_it_says_otherwise() -> None:
    assert TASK.schedule_size == 2
    assert replace(TASK, scheduled=1000).schedule_size == 1000


def test_the_constant_score_is_that_of_the_evaluation_set() -> None:
    assert TASK.constant_score == 2 / 3
    assert replace(TASK, metric="f1").constant_score == 2 * 2 / (2 + 3)
    assert replace(TASK, metric="mcc").constant_score == 0


def test_there_are_five_tasks_of_the_lab_and_nine_of_glue_one_with_two_evaluation_sets() -> None:
    assert (len(LAB_TASKS), len({spec.folder for spec in GLUE_TASKS.values()}), len(GLUE_TASKS)) == (5, 9, 10)
    assert task_names() == [*LAB_TASKS, *GLUE_TASKS]


@pytest.mark.parametrize("name", GLUE_TASKS)
def test_every_glue_task_has_a_metric_and_regression_has_no_classes(name: str) -> None:
    spec = GLUE_TASKS[name]
    assert spec.metric in METRICS
    assert (spec.metric == "spearman") == (not spec.classes)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("glue/rt", "glue/rte"), ("glue/sst-2", "glue/sst2"), ("lab/entailement", "lab/entailment"), ("RTE", "")],
)
def test_an_unknown_task_is_refused_and_the_nearest_suggested(name: str, meant: str) -> None:
    with pytest.raises(TaskError, match=f"unknown task '{name}'") as caught:
        load_task(name)
    if meant:
        assert f"did you mean '{meant}'?" in str(caught.value)
    else:
        assert all(known in str(caught.value) for known in task_names())
    assert "stabbench list tasks" in caught.value.hint
