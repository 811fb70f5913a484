"""Variants of a task: how they are written, which examples they take, and what they change of a task's identity."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stabbench.errors import TaskError
from stabbench.recipes import get_recipe
from stabbench.tasks.lab.language import Dice
from stabbench.tasks.lab.tasks import LAB_TASKS
from stabbench.tasks.metrics import METRICS
from stabbench.tasks.registry import canonical_name, load_task
from stabbench.tasks.task import Examples, Task
from stabbench.tasks.variant import Variant, parse_variant

GLUE = Path(__file__).parents[3] / "shared" / "glue"


def numbered(rows: int, start: int = 0) -> Examples:
    """Rows whose first text is their number, whose second its double, every third of them positive."""
    numbers = range(start, start + rows)
    return Examples([str(i) for i in numbers], [str(2 * i) for i in numbers], [float(i % 3 == 0) for i in numbers])


def task(train: int, evaluation: int) -> Task:
    made = numbered(train), numbered(evaluation, start=10**6)
    return Task("made/up", "accuracy", ("no", "yes"), *made, source="a test")


def numbers(examples: Examples | None) -> list[int]:
    """The rows that were taken, each whole: its text, its second text and its label."""
    assert examples is not None
    assert examples.second is not None
    found = [int(text) for text in examples.first]
    assert [int(text) for text in examples.second] == [2 * i for i in found]
    assert list(examples.labels) == [float(i % 3 == 0) for i in found]
    return found


SMALL, LARGE = task(300, 41), task(12_000, 60)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "'' is not option=value"),
        ("examples", "'examples' is not option=value"),
        ("examples=10,", "'' is not option=value"),
        ("examples=10,examples=20", "'examples=20' is not option=value, or is given twice"),
        ("example=10", "did you mean 'examples'?"),
        ("size=10", "known: examples, iterations, split"),
        ("examples=0", "examples must be a positive number, got '0'"),
        ("examples=-5", "examples must be a positive number, got '-5'"),
        ("examples=1e3", "examples must be a positive number, got '1e3'"),
        ("examples=", "examples must be a positive number, got ''"),
        ("examples=\u0663", "examples must be a positive number"),
        ("examples=10,iterations=all", "iterations can only be 'full', got 'all'"),
        ("iterations=full", "iterations=full needs examples=N"),
        ("split=half", "split can only be 'zhang2021', got 'half'"),
    ],
)
def test_what_is_wrong_is_said(options: str, message: str) -> None:
    for refuse in (canonical_name, load_task):
        with pytest.raises(TaskError) as caught:
            refuse(f"lab/entailment:{options}")
        assert message in str(caught.value)
        assert "'lab/entailment'" in str(caught.value)


def test_more_examples_than_there_are_are_refused() -> None:
    with pytest.raises(TaskError, match="'lab/entailment' has 1000 training examples, not 1001"):
        load_task("lab/entailment:examples=1001")
    # A large task's validation set is taken from its training examples first.
    with pytest.raises(TaskError, match="has 11000 training examples, not 11001"):
        Variant(examples=11_001, zhang_split=True).apply(LARGE)


def test_a_variant_of_an_unknown_task_is_an_unknown_task() -> None:
    with pytest.raises(TaskError, match="unknown task 'lab/entailement': did you mean 'lab/entailment'"):
        load_task("lab/entailement:examples=10")


def test_the_options_have_one_order_and_the_name_carries_them() -> None:
    for written in (
        "split=zhang2021,iterations=full,examples=0100",
        "iterations=full,examples=100,split=zhang2021",
        "examples=100,iterations=full,split=zhang2021",
    ):
        name = "lab/entailment:examples=100,iterations=full,split=zhang2021"
        assert canonical_name(f"lab/entailment:{written}") == name == load_task(f"lab/entailment:{written}").name
    assert canonical_name("glue/rte") == "glue/rte"


@given(st.none() | st.integers(1, 10**9), st.booleans(), st.booleans())
def test_the_text_of_a_variant_gives_it_back(examples: int | None, full: bool, split: bool) -> None:
    variant = Variant(examples, full and examples is not None, split)
    if variant.text:
        assert parse_variant(variant.text, "made/up") == variant
        assert canonical_name(f"made/up:{variant.text}") == f"made/up:{variant.text}"


def test_the_examples_are_always_the_same_ones_and_in_their_order() -> None:
    first, again = (numbers(Variant(examples=40).apply(SMALL).train) for _ in range(2))
    assert first == again == sorted(set(first))
    assert len(first) == 40
    assert set(first) <= set(range(300))
    # A sample, and not the beginning.
    assert max(first) > 200
    assert numbers(Variant(examples=300).apply(SMALL).train) == list(range(300))
    assert Variant(examples=40).apply(SMALL).evaluation == SMALL.evaluation
    assert Variant(examples=40).apply(SMALL).validation is None


def test_sentences_without_a_second_one_stay_so() -> None:
    single = replace(SMALL, train=replace(SMALL.train, second=None))
    assert Variant(examples=5).apply(single).train.second is None


def test_a_small_tasks_evaluation_set_is_halved() -> None:
    split = Variant(zhang_split=True).apply(SMALL)
    validation, evaluation = numbers(split.validation), numbers(split.evaluation)
    assert (len(validation), len(evaluation)) == (21, 20)
    assert sorted(validation + evaluation) == numbers(SMALL.evaluation)
    assert validation == sorted(validation)
    assert evaluation == sorted(evaluation)
    assert max(validation) > min(evaluation)
    assert split.train == SMALL.train


def of_classes(counts: list[int]) -> Examples:
    """Numbered rows, so many of each class, the classes mixed."""
    labels = Dice(0).shuffled([float(c) for c, count in enumerate(counts) for _ in range(count)])
    return Examples([str(i) for i in range(len(labels))], None, labels)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=4), st.data())
def test_halves_are_stratified_and_a_sample_beside_them_is_balanced(counts: list[int], data: st.DataObject) -> None:
    examples = of_classes(counts)
    size = data.draw(st.integers(1, len(examples)))
    whole = Task("made/up", "accuracy", tuple("abcd"[: len(counts)]), examples, examples, source="a test")
    made = Variant(size, zhang_split=True).apply(whole)
    assert made.validation is not None
    assert sorted([*made.validation.first, *made.evaluation.first], key=int) == examples.first
    assert len(made.validation) - len(made.evaluation) == len(examples) % 2
    halves = [Counter(half.labels) for half in (made.validation, made.evaluation)]
    assert all(abs(halves[0][c] - halves[1][c]) <= 1 for c in range(len(counts)))
    # A class gives as many as any other, to one, or all that it has.
    taken = Counter(made.train.labels)
    assert taken.total() == size == len(set(made.train.first))
    assert all(taken[c] >= max(taken.values()) - 1 or taken[c] == count for c, count in enumerate(counts))
    assert Variant(size, zhang_split=True).apply(whole).digest == made.digest


@pytest.mark.parametrize("split", [False, True])
def test_only_beside_the_split_of_classes_is_a_sample_balanced(split: bool) -> None:
    taken = Counter(Variant(150, zhang_split=split).apply(SMALL).train.labels)
    assert (taken[1.0] == 75) == split
    # A regression task has no classes: its sample and its halves are random.
    scores = replace(SMALL, classes=(), metric="pearson_spearman")
    assert numbers(Variant(150, zhang_split=split).apply(scores).train) == numbers(Variant(150).apply(SMALL).train)


def test_what_a_large_task_gives_is_balanced() -> None:
    validation = Variant(zhang_split=True).apply(LARGE).validation
    assert validation is not None
    assert Counter(validation.labels) == {0.0: 500, 1.0: 500}


@pytest.mark.parametrize(("rows", "halved"), [(9_999, True), (10_000, False)])
def test_a_task_is_large_from_ten_thousand_examples(rows: int, halved: bool) -> None:
    split = Variant(zhang_split=True).apply(task(rows, 40))
    assert (len(split.evaluation), len(split.train)) == ((20, rows) if halved else (40, rows - 1000))


def test_a_large_task_gives_a_thousand_training_examples() -> None:
    split = Variant(examples=500, zhang_split=True).apply(LARGE)
    validation, train = numbers(split.validation), numbers(split.train)
    assert (len(validation), len(train)) == (1000, 500)
    assert not set(validation) & set(train)
    whole = Variant(zhang_split=True).apply(LARGE)
    assert numbers(whole.validation) == validation
    assert sorted(validation + numbers(whole.train)) == list(range(12_000))
    assert split.evaluation == LARGE.evaluation


def test_as_many_updates_as_on_the_full_training_set() -> None:
    few, full = (Variant(100, full_iterations=full).apply(SMALL) for full in (False, True))
    assert (few.schedule_size, full.schedule_size, SMALL.schedule_size) == (100, 300, 300)
    assert few.train == full.train
    devlin = get_recipe("devlin")
    assert [devlin.total_steps(t.schedule_size) for t in (few, full)] == [3 * 7, 3 * 19]
    assert Variant(100, full_iterations=True, zhang_split=True).apply(LARGE).schedule_size == 11_000


def test_every_variant_is_other_data_and_the_whole_task_is_what_it_was() -> None:
    variants = [
        Variant(100), Variant(101), Variant(100, full_iterations=True), Variant(zhang_split=True),
        Variant(100, zhang_split=True), Variant(100, full_iterations=True, zhang_split=True),
    ]  # fmt: skip
    digests = [variant.apply(SMALL).digest for variant in variants]
    assert len({*digests, SMALL.digest}) == 7
    assert digests == [variant.apply(SMALL).digest for variant in variants]
    # The two halves are not interchangeable.
    split = variants[3].apply(SMALL)
    assert split.validation is not None
    assert replace(split, validation=split.evaluation, evaluation=split.validation).digest != split.digest


def test_the_constant_score_is_that_of_the_half_that_scores() -> None:
    labels = [1.0] * 9 + [0.0] * 31
    uneven = replace(SMALL, evaluation=replace(numbered(40), labels=labels))
    split = Variant(zhang_split=True).apply(uneven)
    assert split.constant_score == METRICS["accuracy"].constant_score(
        split.kind, split.evaluation.labels, len(split.classes)
    )
    assert split.constant_score == split.evaluation.labels.count(0.0) / 20 != uneven.constant_score


@pytest.mark.parametrize("name", LAB_TASKS)
def test_every_task_of_the_lab_has_variants(name: str) -> None:
    plain, variant = load_task(name), load_task(f"{name}:split=zhang2021,examples=30")
    assert (len(variant.train), len(variant.validation or ()), len(variant.evaluation)) == (30, 200, 200)
    assert (variant.outputs, variant.metric) == (plain.outputs, plain.metric)
    rows = list(zip(plain.train.first, plain.train.labels, strict=True))
    assert set(zip(variant.train.first, variant.train.labels, strict=True)) <= set(rows)


@pytest.mark.skipif(not GLUE.is_dir(), reason=f"the official GLUE files are not in {GLUE}")
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("glue/rte:examples=1000,split=zhang2021", (1000, 139, 138)),
        ("glue/mrpc:split=zhang2021", (3668, 204, 204)),
        ("glue/sst2:split=zhang2021,examples=1000", (1000, 1000, 872)),
    ],
)
def test_variants_of_the_real_glue_files(name: str, sizes: tuple[int, int, int]) -> None:
    made = load_task(name, GLUE)
    assert (len(made.train), len(made.validation or ()), len(made.evaluation)) == sizes
    assert 0.4 < made.constant_score < 0.9
    assert load_task(name, GLUE).digest == made.digest != load_task(name.partition(":")[0], GLUE).digest
