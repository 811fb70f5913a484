"""Tasks and metrics that Python code gives: objects, and functions of a plugin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import stabbench
from stabbench.errors import RecipeError, TaskError
from stabbench.recipes import parse_recipe
from stabbench.records.run import Outcome
from stabbench.records.seeds import Seeds
from stabbench.runner.plan import Plan
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.tasks.registry import find_task, load, load_task, task_names

WORDS = ["big dogs phone large pilots daily", "happy cat sees mad king", "old birds spot horse today"] * 8
SETS = [(0,), (), (0, 1), (1,), (0,), (1,)] * 4


def a_task(
    labels: list[object] = SETS, classes: tuple[str, ...] = ("loud", "rude"), **changes: object
) -> stabbench.Task:
    examples = stabbench.Examples(WORDS, None, labels)
    made = stabbench.Task("mine", "macro_f1", classes, examples, examples, multi_label=True)
    return replace(made, **changes)


PLUGIN = """
import stabbench
from stabbench import Examples, Task

WORDS = {words!r}


@stabbench.metric
def share_right(predictions, labels):
    return float((predictions == labels).mean())


@stabbench.task("shop/notes")
def notes():
    examples = Examples(WORDS, None, [i % 3 for i in range(len(WORDS))])
    return Task("anything", "share_right", ("a", "b", "c"), examples, examples)
"""


def plugin(folder: Path, text: str = PLUGIN) -> str:
    (folder / "mine.py").write_text(text.format(words=WORDS))
    return str(folder / "mine.py")


def test_several_labels_are_trained_bitwise_the_same_at_every_stack_size(tmp_path: Path) -> None:
    alone, together = (
        stabbench.compare(["devlin"], task=a_task(), seeds=3, stack=stack, max_steps=2, store=tmp_path / str(stack))
        for stack in (1, 3)
    )
    one, other = (found.recipes[0].records for found in (alone, together))
    assert [(r.score, r.final_loss) for r in one] == [(r.score, r.final_loss) for r in other]
    assert {r.task for r in one} == {"mine"}
    # Two classes at random: about ln 2.
    assert all(0.4 < r.final_loss < 1.0 for r in one)


@pytest.mark.parametrize(
    ("task", "least"),
    [
        (a_task(metric="roc_auc"), 0.0),
        (a_task([i % 3 for i in range(24)], ("a", "b", "c"), multi_label=False, metric="roc_auc"), 0.0),
        (a_task([i % 2 for i in range(24)], ("a", "b"), multi_label=False, metric="roc_auc"), 0.0),
        (a_task([i / 4 for i in range(24)], (), multi_label=False, metric="r2"), -1000.0),
    ],
)
def test_every_kind_of_label_is_scored(tmp_path: Path, task: stabbench.Task, least: float) -> None:
    found = stabbench.compare(["devlin"], task=task, seeds=1, max_steps=1, store=tmp_path)
    (record,) = found.recipes[0].records
    assert record.score is not None
    assert least <= record.score <= 1
    assert record.constant_score == pytest.approx(0.5 if task.metric == "roc_auc" else 0)
    assert (record.outcome is Outcome.FAILED) == (record.score <= record.constant_score)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (a_task([(0,), (2,)] * 12), "has the label .2,., not a tuple, each a class number below 2"),
        (a_task(["loud", "rude"] * 12), "has the label 'loud', not a tuple"),
        (a_task([(0,)] * 24), "the training set has one label only, .'loud'."),
        (a_task([(0,)] * 3), "24 texts and 3 labels"),
        (a_task(metric="mcc"), "metric 'mcc' does not score multi-label labels"),
        (a_task(metric="macrof1"), "unknown metric 'macrof1': did you mean 'macro_f1'"),
        (a_task(train=stabbench.Examples([7] * 24, None, SETS)), "7 in place of a text"),
        (a_task(train=stabbench.Examples(WORDS, WORDS, SETS)), "pairs of texts in one set"),
    ],
)
def test_an_object_that_is_no_task_is_refused(task: stabbench.Task, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        load(find_task(task))


def test_a_task_and_a_metric_of_a_plugin(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="unknown task 'shop/notes'"):
        load_task("shop/notes")
    assert stabbench.load_plugin(plugin(tmp_path)) == []
    assert "shop/notes" in task_names()
    task = load_task("shop/notes")
    assert (task.name, task.metric, task.constant_score) == ("shop/notes", "share_right", 1 / 3)


def test_a_changed_metric_makes_other_runs_and_changed_words_of_it_do_not(tmp_path: Path) -> None:
    def identity(name: str, text: str) -> str:
        (tmp_path / name).mkdir()
        module = plugin(tmp_path / name, text)
        stabbench.load_plugin(module)
        plan = Plan([parse_recipe("devlin")], f"shop/{name}", "lab", [Seeds.of(0)])
        return str(resolve(plan, Resources()).cells[0].fingerprint.experiment["metric_code"])

    def named(name: str) -> str:
        return PLUGIN.replace("shop/notes", f"shop/{name}").replace("share_right", f"right_{name}")

    one = identity("a", named("a"))
    assert len(one) == 16
    assert identity("b", named("b")) != identity("c", named("c").replace("==", "!="))
    built_in = resolve(Plan([parse_recipe("devlin")], "lab/similarity", "lab", [Seeds.of(0)]), Resources())
    assert "metric_code" not in built_in.cells[0].fingerprint.experiment


def test_what_a_plugin_gets_wrong(tmp_path: Path) -> None:
    stabbench.load_plugin(plugin(tmp_path, PLUGIN.replace("    return Task(", "    1 / 0\n    return Task(")))
    with pytest.raises(TaskError, match="task 'shop/notes' cannot be loaded: ZeroDivisionError"):
        load_task("shop/notes")
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(RecipeError, match="defines no recipe, task or metric"):
        stabbench.load_plugin(str(tmp_path / "empty.py"))
    with pytest.raises(TaskError, match="two tasks are named 'shop/notes'"):
        stabbench.task("shop/notes")(a_task)
    with pytest.raises(TaskError, match="a task cannot be named 'a:b'"):
        stabbench.task("a:b")
