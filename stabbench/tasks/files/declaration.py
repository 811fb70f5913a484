"""What a task file says: where the data are, which columns are text and label, and how they are scored.

::

    # reviews.toml; paths are relative to this file
    name = "reviews"
    train = "train.csv"     # .csv .tsv .json .jsonl .parquet .arrow, a folder of save_to_disk, or the table below
    evaluation = "dev.csv"  # or a share of train, such as 0.2
    validation = 0.1        # optional; keep=best chooses by it
    text = "review"         # or two columns, ["question", "answer"]
    label = "stars"         # or several columns of 0 and 1, one for each class
    classes = ["bad", "good"]  # optional: their order; of two the last is the positive one
    metric = "macro_f1"

A part of the data may be a table: ``{path = "saved", split = "train"}``, or of the hub ``{dataset = "org/name",
config = "en", revision = "main", split = "train"}``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from stabbench._system.toml import read_toml
from stabbench.errors import EXCERPT, TaskError, excerpt, shortened, unknown
from stabbench.escape import is_unicode, one_line

# What stands in place of an evaluation set that is not given.
USUAL_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the data: a file or folder, or a data set of the hub.

    Attributes:
        path: Of a file, or of a folder that ``save_to_disk`` wrote.
        dataset: Its id on the hub.
        config: Of that data set.
        revision: Of that data set: a branch, tag or commit.
        split: One of the data set's, or of the folder's.
    """

    path: str | None = None
    dataset: str | None = None
    config: str | None = None
    revision: str | None = None
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A task file.

    Attributes:
        name: In run records; the file's own without its ending where it says none.
        train: The training set.
        evaluation: The evaluation set, or its share of the training set.
        validation: The validation set, or its share of the training set.
        text: The column of the texts, or the two of a pair; () for the usual names.
        label: The column of the labels, or several of 0 and 1, one for each class; () for ``label``.
        classes: All classes in the order of their numbers; () for those of the training set.
        metric: Its name; "" for the usual one of such labels.
    """

    name: str
    train: Part
    evaluation: Part | float = USUAL_SHARE
    validation: Part | float | None = None
    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    metric: str = ""


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A task file as it is written."""

    train: str | Part
    name: str = ""
    evaluation: str | float | Part = USUAL_SHARE
    validation: str | float | Part | None = None
    text: str | tuple[str, ...] = ()
    label: str | tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    metric: str = ""


def read_declaration(path: Path) -> Declaration:
    """What a task file says; of a data file by itself, that its columns have the usual names.

    Raises:
        TaskError: There is no such file, or it is no task file.
    """
    if path.suffix.lower() != ".toml":
        return Declaration(name=_name(path.stem, path), train=Part(path=str(path)))
    try:
        content = read_toml(path)
    except FileNotFoundError as error:
        raise TaskError(f"task file {path}: there is no such file") from error
    except OSError as error:
        raise TaskError(f"task file {path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TaskError(f"task file {path}: cannot be read: {shortened(str(error))}") from error
    _check_keys(path, content, _Written, "key")
    for key in ("train", "evaluation", "validation"):
        if isinstance(content.get(key), dict):
            _check_keys(path, content[key], Part, f"key of {key}")
    try:
        written = msgspec.convert(content, _Written)
    except msgspec.ValidationError as error:
        raise TaskError(f"task file {path}: {str(error)[:200]}", "see docs/tasks.md") from error
    return Declaration(
        name=_name(written.name or path.stem, path),
        train=_required(path, written.train),
        evaluation=_part(path, "evaluation", written.evaluation),
        validation=None if written.validation is None else _part(path, "validation", written.validation),
        text=_columns(path, "text", written.text, most=2),
        label=_columns(path, "label", written.label),
        classes=_columns(path, "classes", written.classes),
        metric=written.metric,
    )


def _check_keys(path: Path, content: dict[str, Any], of: type[_Written] | type[Part], what: str) -> None:
    known = [spec.name for spec in fields(of)]
    for key in content:
        if key not in known:
            raise TaskError(unknown(f"{what} in task file {path}:", key, known))
    if of is _Written and "train" not in content:
        raise TaskError(f"task file {path}: no train", 'name the training set: train = "train.csv"')


def _required(path: Path, value: str | Part) -> Part:
    part = _part(path, "train", value)
    assert isinstance(part, Part)
    return part


def _part(path: Path, key: str, value: str | float | Part) -> Part | float:
    """A path in it is absolute."""
    if isinstance(value, float):
        if not 0 < value < 1:
            raise TaskError(
                f"task file {path}: {key} is a share of the training set above 0 and below 1, got {value:g}"
            )
        return value
    part = Part(path=value) if isinstance(value, str) else value
    if (part.path is None) == (part.dataset is None):
        raise TaskError(f"task file {path}: {key} needs a path or a dataset, and not both")
    if part.path is None:
        return part
    if part.config is not None or part.revision is not None:
        raise TaskError(f"task file {path}: {key} has a path, and config and revision are of a dataset of the hub")
    if not part.path.strip() or not is_unicode(part.path) or "\0" in part.path:
        raise TaskError(f"task file {path}: {key} has the path {excerpt(part.path)}")
    return Part(path=str((path.parent / part.path).resolve()), split=part.split)


def _columns(path: Path, key: str, value: str | tuple[str, ...], most: int | None = None) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if len(set(names)) < len(names):
        raise TaskError(f"task file {path}: {key} names one twice: {excerpt(list(names))}")
    if most is not None and len(names) > most:
        raise TaskError(f"task file {path}: {key} names {len(names)} columns, and a model reads one text or two")
    return names


def _name(name: str, path: Path) -> str:
    """As it stands in tables, and before the options of a variant."""
    if not name.strip() or ":" in name or not is_unicode(name) or one_line(name) != name or len(name) > EXCERPT:
        raise TaskError(
            f"task file {path}: its name {excerpt(name)} cannot stand in a table",
            'give it a short one without a colon: name = "reviews"',
        )
    return name
