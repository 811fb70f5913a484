"""Reading and writing the baselines file.

The file is JSON for version control, and ``stabbench baseline`` alone writes it: each cell has a checksum, so that an
edit by hand is noticed, and one seed is one line, so that a diff can be read. A local model's folder is written
relative to the file (:mod:`stabbench.gate.model_paths`); which weights they were is in the cell's experiment.
"""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stabbench._system.files import write_whole
from stabbench.code.former_identity import carried_over
from stabbench.gate.baselines import Baseline, BaselineError
from stabbench.gate.model_paths import is_path, local_path, stored_path
from stabbench.records.setting import cell_name

SCHEMA = "stabbench/baselines/1"
_RESTORE = "restore it from version control; only `stabbench baseline` writes it"


def load(path: Path, *, must_exist: bool = True) -> dict[str, Baseline]:
    """All cells of a file, by name.

    Raises:
        BaselineError: It is missing, unreadable, truncated, edited, or of a newer version.
    """
    if not path.exists() and not must_exist:
        return {}
    text = _text(path)
    try:
        data = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if (line := _conflict(text)) is not None:
            raise BaselineError(
                f"the baselines file {path} has the markers of a merge conflict, the first in line {line}",
                f"take one side whole (`git checkout --ours {path}`, or `--theirs`), then record the other side's "
                "cells again with `stabbench baseline record` or `update`",
            ) from error
        raise BaselineError(
            f"the baselines file {path} is truncated or was edited by hand: {error}",
            _RESTORE,
        ) from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise BaselineError(
            f"{path} has schema {schema!r}, and this stabbench knows {SCHEMA!r}",
            "upgrade stabbench if a newer one wrote it; restore it from version control if not",
        )
    if not isinstance(data.get("cells"), list):
        raise BaselineError(f"the baselines file {path} was edited by hand: it has no list of cells", _RESTORE)
    cells = [_read_cell(path, entry) for entry in data["cells"]]
    for cell in cells:
        if sum(other.name == cell.name for other in cells) > 1:
            raise BaselineError(f"{path} has the cell {cell.name!r} twice", "restore it from version control")
    return {cell.name: cell for cell in cells}


def save(path: Path, cells: Iterable[Baseline]) -> None:
    """Write the file, all of it or nothing; cells ordered by task, model and recipe.

    Raises:
        BaselineError: It cannot be written.
    """
    ordered = sorted(cells, key=lambda c: (c.task, c.model, c.recipe))
    data = {"schema": SCHEMA, "cells": [_to_json(cell, path.parent) for cell in ordered]}
    try:
        write_whole(path, json.dumps(data, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise BaselineError(f"the baselines file {path} cannot be written: {error.strerror}") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BaselineError(f"no baselines file {path}", "make one: stabbench baseline record RECIPE") from error
    except OSError as error:
        raise BaselineError(f"the baselines file {path} cannot be read: {error}") from error
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise BaselineError(
                f"the baselines file {path} cannot be read: it begins with the byte order mark of {encoding}, as some "
                "editors and shells write it",
                "save it as UTF-8 without a byte order mark, or restore it from version control",
            )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BaselineError(f"the baselines file {path} cannot be read: {error}", _RESTORE) from error


_MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
# At the start of a line: no line of JSON starts so.
_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")


def _conflict(text: str) -> int | None:
    """The first line that starts as Git marks a conflict."""
    return next((n for n, line in enumerate(text.splitlines(), start=1) if line.startswith(_CONFLICT)), None)


def _to_json(cell: Baseline, folder: Path) -> dict[str, Any]:
    data = json.loads(json.dumps(dataclasses.asdict(cell)))
    data["model"] = stored_path(cell.model, folder)
    if cell.task_file is None:
        del data["task_file"]
    else:
        data["task_file"] = stored_path(cell.task_file, folder, is_path)
    return {**data, "checksum": _checksum(data)}


def _checksum(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _read_cell(path: Path, entry: Any) -> Baseline:
    name = "a cell"
    try:
        data = dict(entry)
        name = f"the cell {cell_name(data['recipe'], data['task'], data['model'])!r}"
        if data.pop("checksum") != _checksum(data):
            raise ValueError("its checksum does not match")
        data["model"] = local_path(data["model"], path.parent)
        if data.get("task_file") is not None:
            data["task_file"] = local_path(data["task_file"], path.parent, is_path)
        data["environment"] = carried_over(data["environment"])
        cell = msgspec.convert(data, Baseline, str_keys=True)
        if not cell.scores:
            raise ValueError("it has no scores")
        if min(cell.scores) < 0 or not cell.failed.keys() <= cell.scores.keys():
            raise ValueError("it has failed runs or seeds without a score")
        if not all(score is None or math.isfinite(score) for score in (*cell.scores.values(), cell.constant_score)):
            raise ValueError("a score is not finite")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BaselineError(
            f"in the baselines file {path} {name} was edited by hand: {error}",
            _RESTORE,
        ) from error
    return cell


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice")
    return made
