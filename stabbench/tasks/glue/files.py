"""Reading GLUE from the official TSV files.

Strict on purpose: a row that is silently dropped changes the task, and with it what every score means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stabbench.errors import EXCERPT, TaskError, excerpt
from stabbench.tasks.decoding import decoded
from stabbench.tasks.glue.specs import GLUE_TASKS, GlueTask
from stabbench.tasks.quality import LARGEST_SCORE, MOST_UNUSABLE
from stabbench.tasks.task import Examples, Task


@dataclass(frozen=True)
class GlueFiles:
    """A GLUE task from its TSV files.

    Attributes:
        name: Such as ``glue/rte``.
        folder: The one that holds ``RTE/``, ``MRPC/`` and so on, or that task's own.
    """

    name: str
    folder: Path

    def load(self) -> Task:
        """The task; files that are missing, empty or badly encoded, and rows that cannot be read are TaskErrors."""
        try:
            if not self.folder.is_dir():
                raise TaskError(f"--data-dir {self.folder}: no such folder")
            return _load(self.name, GLUE_TASKS[self.name], self.folder)
        except OSError as error:
            raise TaskError(f"--data-dir {self.folder}: {error.strerror}") from error


def _load(name: str, spec: GlueTask, data_dir: Path) -> Task:
    folder = data_dir / spec.folder if (data_dir / spec.folder).is_dir() else data_dir
    notes: list[str] = []
    train, evaluation = (_read(folder / f"{split}.tsv", name, spec, notes) for split in ("train", spec.evaluation[0]))
    source = f"TSV files in {folder}"
    return Task(name, spec.metric, spec.classes, train, evaluation, source=source, notes=tuple(notes))


def _read(path: Path, name: str, spec: GlueTask, notes: list[str]) -> Examples:
    if not path.is_file():
        raise TaskError(
            f"task {name!r}: no file {path}",
            f"--data-dir takes the official layout: {spec.folder}/train.tsv and {spec.folder}/{spec.evaluation[0]}.tsv",
        )
    lines = enumerate(decoded(path).split("\n"), 1)
    numbered = [(number, line.rstrip("\r").split("\t")) for number, line in lines if line.strip("\r")]
    if not numbered:
        raise TaskError(f"{path}: the file is empty")
    header = numbered.pop(0)[1] if spec.header else None
    columns = _columns(path, header, spec)
    last = max(i for i in columns if i is not None)
    width = last + 1 if header is None else len(header)
    torn = 0
    first: list[str] = []
    second: list[str] = []
    labels: list[float] = []
    for number, row in numbered:
        if len(row) <= last:
            if spec.torn_rows:
                torn += 1
                continue
            raise TaskError(f"{path}, line {number}: {len(row)} columns, but column {last + 1} is needed")
        if len(row) > width:
            has = "the header has" if spec.header else "this task has"
            raise TaskError(f"{path}, line {number}: {len(row)} columns, but {has} {width}", "is a tab within a text?")
        first.append(row[columns[0]])
        if columns[1] is not None:
            second.append(row[columns[1]])
        labels.append(_label(row[columns[2]], f"{path}, line {number}", spec))
    if not labels:
        raise TaskError(f"{path}: no rows", "all of them end early" if torn else "")
    if torn:
        what = f"{path}: {torn:,} of {len(numbered):,} rows end early"
        if torn > max(1, MOST_UNUSABLE * len(numbered)):
            raise TaskError(what, "the file is damaged: the official one has a few such rows in hundred thousands")
        notes.append(f"{what} and are left out")
    return Examples(first, second if columns[1] is not None else None, labels)


def _columns(path: Path, header: list[str] | None, spec: GlueTask) -> tuple[int, int | None, int]:
    """Positions of the first text, the second and the label."""
    first, second, label = spec.columns
    if header is None:
        return int(first), None, int(label)
    missing = [column for column in (first, second, label) if column is not None and column not in header]
    if missing:
        quoted = any(column.startswith('"') for column in header)
        listed = ", ".join(header) if len(", ".join(header)) <= 3 * EXCERPT else excerpt(", ".join(header))
        raise TaskError(
            f"{path}: no column {', '.join(map(repr, missing))}; the header has {listed}",
            "write the file without quotes, as GLUE's are" if quoted else "",
        )
    return header.index(first), None if second is None else header.index(second), header.index(label)


def _label(text: str, where: str, spec: GlueTask) -> float:
    if spec.classes:
        if text not in spec.classes:
            raise TaskError(f"{where}: unknown label {excerpt(text)}; known: {', '.join(spec.classes)}")
        return float(spec.classes.index(text))
    # Not all that Python reads: no nan, no 1_000.
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text.strip()):
        raise TaskError(f"{where}: the score {excerpt(text)} is not a number")
    value = float(text)
    if abs(value) > LARGEST_SCORE:
        raise TaskError(f"{where}: the score {excerpt(text)} is not within ±{LARGEST_SCORE:g}", "scale the scores")
    return value
