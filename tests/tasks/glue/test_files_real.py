"""The real GLUE files: every row is read, and the labels are those in the files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from stabbench.tasks.glue.specs import GLUE_TASKS
from stabbench.tasks.registry import load_task

GLUE = Path(__file__).parents[4] / "shared" / "glue"
pytestmark = pytest.mark.skipif(not GLUE.is_dir(), reason=f"the official GLUE files are not in {GLUE}")

# Rows of the training and of the development set.
ROWS = {
    "glue/rte": (2490, 277),
    "glue/mrpc": (3668, 408),
    "glue/cola": (8551, 1043),
    "glue/stsb": (5749, 1500),
    "glue/sst2": (67349, 872),
    "glue/wnli": (635, 71),
}
# Where the label is not the last column.
LABEL_COLUMN = {"glue/mrpc": 0, "glue/cola": 1}
# Counts of the labels of the development set, in the order of the classes.
BALANCE = {
    "glue/rte": (146, 131),
    "glue/mrpc": (129, 279),
    "glue/cola": (322, 721),
    "glue/sst2": (428, 444),
    "glue/wnli": (40, 31),
}
CONSTANT_SCORE = {
    "glue/rte": 146 / 277,
    "glue/mrpc": 2 * 279 / (279 + 408),
    "glue/cola": 0.0,
    "glue/stsb": 0.0,
    "glue/sst2": 444 / 872,
    "glue/wnli": 40 / 71,
}


def raw_labels(name: str, split: str) -> list[str]:
    """The labels by plain splitting of the file's lines."""
    text = (GLUE / GLUE_TASKS[name].folder / f"{split}.tsv").read_text(encoding="utf-8")
    lines = text.removesuffix("\n").split("\n")[0 if name == "glue/cola" else 1 :]
    return [line.split("\t")[LABEL_COLUMN.get(name, -1)] for line in lines]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_read_with_its_label_and_the_constant_score_follows(name: str) -> None:
    task = load_task(name, GLUE)
    assert (len(task.train), len(task.evaluation)) == ROWS[name]
    for split, examples in (("train", task.train), ("dev", task.evaluation)):
        read = [task.classes[int(label)] for label in examples.labels] if task.classes else examples.labels
        assert list(read) == [label if task.classes else float(label) for label in raw_labels(name, split)]
        assert all(examples.first)
        assert examples.second is None or (all(examples.second) and len(examples.second) == len(examples))
    if task.classes:
        counts = Counter(task.evaluation.labels)
        assert tuple(counts[i] for i in range(2)) == BALANCE[name]
    assert task.constant_score == CONSTANT_SCORE[name]
    assert load_task(name, GLUE / GLUE_TASKS[name].folder).digest == task.digest


def test_quotes_are_read_as_they_stand() -> None:
    first = load_task("glue/mrpc", GLUE).train.first[0]
    assert first.count('"') == 2


def test_the_sentences_of_cola_are_the_last_column() -> None:
    task = load_task("glue/cola", GLUE)
    raw = (GLUE / "CoLA" / "dev.tsv").read_text(encoding="utf-8").splitlines()
    assert task.evaluation.first[0] == raw[0].split("\t")[-1]
