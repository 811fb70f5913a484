"""Reading GLUE from the official TSV files.

Strict on purpose: a row that is silently dropped changes the task, and with it what every score means.
"""

from __future__ import annotations

import math
from pathlib import Path

from stabbench.errors import TaskError
from stabbench.tasks._base import Examples, Task
from stabbench.tasks._glue import GLUE_TASKS, GlueTask


def load_tsv(name: str, data_dir: Path) -> Task:
    """A GLUE task from ``data_dir``: either the folder that holds ``RTE/``, ``MRPC/`` and so on, or that task's own.

    Raises:
        TaskError: Files that are missing, empty or badly encoded, or rows that cannot be read.
    """
    spec = GLUE_TASKS[name]
    try:
        if not data_dir.is_dir():
            raise TaskError(f"--data-dir {data_dir}: no such folder")
        return _load(name, spec, data_dir)
    except OSError as error:
        raise TaskError(f"--data-dir {data_dir}: {error.strerror}") from error


def _load(name: str, spec: GlueTask, data_dir: Path) -> Task:
    folder = data_dir / spec.folder if (data_dir / spec.folder).is_dir() else data_dir
    train, evaluation = (_read(folder / f"{split}.tsv", name, spec) for split in ("train", spec.evaluation[0]))
    return Task(name, spec.metric, spec.classes, train, evaluation, source=f"TSV files in {folder}")


def _read(path: Path, name: str, spec: GlueTask) -> Examples:
    if not path.is_file():
        raise TaskError(
            f"task {name!r}: no file {path}",
            f"--data-dir takes the official layout: {spec.folder}/train.tsv and {spec.folder}/{spec.evaluation[0]}.tsv",
        )
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TaskError(f"{path}, line {line}: not UTF-8 ({error.reason})", "convert the file to UTF-8") from error
    numbered = [(number, line.rstrip("\r").split("\t")) for number, line in enumerate(lines, 1) if line.strip("\r")]
    if not numbered:
        raise TaskError(f"{path}: the file is empty")
    header = numbered.pop(0)[1] if spec.header else None
    columns = _columns(path, header, spec)
    last = max(i for i in columns if i is not None)
    first: list[str] = []
    second: list[str] = []
    labels: list[float] = []
    for number, row in numbered:
        if len(row) <= last:
            if spec.torn_rows:
                continue
            raise TaskError(f"{path}, line {number}: {len(row)} columns, but column {last + 1} is needed")
        if header is not None and len(row) > len(header):
            raise TaskError(f"{path}, line {number}: {len(row)} columns, but the header has {len(header)}")
        first.append(row[columns[0]])
        if columns[1] is not None:
            second.append(row[columns[1]])
        labels.append(_label(row[columns[2]], f"{path}, line {number}", spec))
    if not labels:
        raise TaskError(f"{path}: no rows")
    return Examples(first, second if columns[1] is not None else None, labels)


def _columns(path: Path, header: list[str] | None, spec: GlueTask) -> tuple[int, int | None, int]:
    """Positions of the first text, the second and the label."""
    first, second, label = spec.columns
    if header is None:
        return int(first), None, int(label)
    missing = [column for column in (first, second, label) if column is not None and column not in header]
    if missing:
        raise TaskError(f"{path}: no column {', '.join(map(repr, missing))}; the header has {', '.join(header)}")
    return header.index(first), None if second is None else header.index(second), header.index(label)


def _label(text: str, where: str, spec: GlueTask) -> float:
    if spec.classes:
        if text not in spec.classes:
            raise TaskError(f"{where}: unknown label {text!r}; known: {', '.join(spec.classes)}")
        return float(spec.classes.index(text))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TaskError(f"{where}: the score {text!r} is not a number")
    return value
