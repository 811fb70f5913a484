"""A task file, or a data file by itself, as the source of a task."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stabbench.errors import TaskError
from stabbench.tasks.files.arrow import is_saved, saved_splits
from stabbench.tasks.files.declaration import USUAL_SHARE, Declaration, Part, read_declaration
from stabbench.tasks.files.labels import Labels, read_labels
from stabbench.tasks.files.parts import READERS, read_part
from stabbench.tasks.files.shares import split_off
from stabbench.tasks.files.table import Table
from stabbench.tasks.metrics import USUAL_METRICS, find_metric
from stabbench.tasks.task import Examples, Task

# Columns that need not be named.
USUAL_TEXTS, USUAL_SECOND, USUAL_LABEL = ("text", "sentence", "sentence1"), "sentence2", "label"


@dataclass(frozen=True)
class FileSource:
    """A task from files.

    Attributes:
        declared: What the task file says; its paths are absolute.
        folder: None: it reads no data folder, its paths are its own.
    """

    declared: Declaration
    folder: None = None

    @property
    def name(self) -> str:
        """As declared."""
        return self.declared.name

    def paths(self) -> list[Path]:
        """Its files of rows, and those in its folders."""
        declared = (self.declared.train, self.declared.evaluation, self.declared.validation)
        found = [Path(part.path) for part in declared if isinstance(part, Part) and part.path is not None]
        return [file for path in found for file in ([path] if path.is_file() else path.glob("**/*"))]

    def load(self) -> Task:
        """The task; files that cannot be read, and rows that make no task, are TaskErrors with row and column."""
        declared = self.declared
        parts = {"train": declared.train, "evaluation": declared.evaluation, "validation": declared.validation}
        tables = {part: read_part(value) for part, value in parts.items() if isinstance(value, Part)}
        texts = _text_columns(declared, tables["train"])
        columns = declared.label or (USUAL_LABEL,)
        if USUAL_LABEL not in tables["train"].columns and not declared.label:
            raise _unnamed(tables["train"], "label")
        labels = {part: read_labels(table, columns) for part, table in tables.items()}
        classes = _classes(declared, columns, labels["train"])
        examples = {part: _examples(table, texts, labels[part], classes) for part, table in tables.items()}
        several = labels["train"].several
        task = Task(
            declared.name,
            declared.metric,
            classes,
            train=examples["train"],
            # Shares of the training set take their places below.
            evaluation=examples.get("evaluation", examples["train"]),
            validation=examples.get("validation"),
            source=", ".join(table.origin for table in tables.values()),
            multi_label=several,
        )
        if not declared.metric:
            task = dataclasses.replace(task, metric=USUAL_METRICS[task.kind])
        if task.metric == "f1" and not declared.classes and task.kind == "binary":
            task = dataclasses.replace(task, notes=(f"task {task.name!r}: f1 is that of class {classes[1]!r}",))
        return split_off(task, {part: value for part, value in parts.items() if isinstance(value, float)})


def find_file(name: str, _: Path | None) -> FileSource | None:
    """The source of a task file, of a data file, or of a folder of ``save_to_disk``."""
    if not is_file_name(name):
        return None
    path = Path(name).absolute()
    if path.is_dir():
        return FileSource(_saved(path))
    if not path.is_file():
        raise TaskError(f"task {name!r}: there is no such file", "see: stabbench list tasks, for tasks by name")
    return FileSource(read_declaration(path))


def is_file_name(name: str) -> bool:
    """Whether a task's name is that of a file, there or not, or of a folder of ``save_to_disk``."""
    try:
        path = Path(name)
        return path.suffix.lower() in (".toml", *READERS) or is_saved(path)
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False


def _saved(path: Path) -> Declaration:
    """A folder by itself: its splits by their usual names, or shares of its only one."""
    splits = saved_splits(path)
    whole = read_declaration(path)
    if not splits:
        return whole
    evaluation = next((name for name in ("validation", "test") if name in splits), None)
    return dataclasses.replace(
        whole,
        train=Part(path=str(path), split="train"),
        evaluation=USUAL_SHARE if evaluation is None else Part(path=str(path), split=evaluation),
    )


def _text_columns(declared: Declaration, table: Table) -> tuple[str, ...]:
    if declared.text:
        return declared.text
    first = next((name for name in USUAL_TEXTS if name in table.columns), None)
    if first is None:
        raise _unnamed(table, "text")
    return (first, USUAL_SECOND) if USUAL_SECOND in table.columns else (first,)


def _unnamed(table: Table, what: str) -> TaskError:
    usual = ", ".join(USUAL_TEXTS) if what == "text" else USUAL_LABEL
    return TaskError(
        f"{table.origin}: no column of the usual name of a {what} ({usual}); it has {table.header()}",
        f'name the columns in a task file, task.toml: train = "{Path(table.origin).name}", text = "…", label = "…"; '
        "then --task task.toml",
    )


def _classes(declared: Declaration, columns: Sequence[str], labels: Labels) -> tuple[str, ...]:
    """The classes of the training set; none for a regression, as the metric or else the numbers say."""
    if declared.classes:
        return declared.classes
    if len(columns) > 1:
        return tuple(columns)
    metric = find_metric(declared.metric) if declared.metric else None
    named = labels.several or labels.column in labels.table.names
    regression = not named and "regression" in (metric.formulas if metric else ("regression",))
    if regression and (labels.continuous or (metric is not None and set(metric.formulas) == {"regression"})):
        return ()
    return labels.classes()


def _examples(table: Table, texts: Sequence[str], labels: Labels, classes: Sequence[str]) -> Examples:
    first, *second = [table.texts(name) for name in texts]
    numbers: list[Any] = labels.class_numbers(classes) if classes else labels.numbers()
    return Examples(first, second[0] if second else None, numbers)
