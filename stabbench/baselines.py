"""The baselines file: for each cell the raw scores by seed, what they were made of, and when.

A *cell* is one recipe on one task and model. The file is JSON for version control, and ``stabbench baseline`` alone
writes it: each cell has a checksum, so that an edit by hand is noticed, and one seed is one line, so that a diff can be
read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stabbench
from stabbench.errors import StabbenchError, unknown
from stabbench.files import write_whole
from stabbench.records import Outcome, RunRecord
from stabbench.statistics import Sample

SCHEMA = "stabbench/baselines/1"
_RESTORE = "restore it from version control; only `stabbench baseline` writes it"


class BaselineError(StabbenchError):
    """A baselines file that is missing, truncated or edited, or a cell that is not there or there already."""


@dataclass(frozen=True)
class Loosening:
    """A baseline was replaced by one that is easier to pass.

    Attributes:
        date: When.
        reason: Why, in the words of whoever did it.
        before: What the scores were like: runs, failed, mean and std.
    """

    date: str
    reason: str
    before: Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """One cell of the file.

    Attributes:
        recipe: Its label, as it is written on a command line.
        task: The task's name.
        model: The model as the user named it.
        revision: The commit of a hub model.
        metric: Of the scores.
        constant_score: Of the best constant predictor.
        experiment: What defines the runs (see :class:`stabbench.records.Fingerprint`).
        environment: What they ran on.
        recorded: The day of the last of its runs.
        stabbench: The version that wrote the cell.
        scores: By seed, in the order of the seeds.
        failed: For each failed seed the reason.
        loosened: Every time it was made easier to pass.
    """

    recipe: str
    task: str
    model: str
    revision: str | None
    metric: str
    constant_score: float
    experiment: Mapping[str, Any]
    environment: Mapping[str, Any]
    recorded: str
    stabbench: str
    scores: Mapping[int, float | None]
    failed: Mapping[int, str]
    loosened: Sequence[Loosening] = ()

    @property
    def name(self) -> str:
        """``mosbach on lab/entailment, lab``: unique in the file."""
        return cell_name(self.recipe, self.task, self.model)

    @property
    def sample(self) -> Sample:
        """The scores and outcomes, in the order of the seeds."""
        return Sample(tuple(self.scores.values()), tuple(seed in self.failed for seed in self.scores))

    @classmethod
    def of(cls, records: Sequence[RunRecord], loosened: Sequence[Loosening] = ()) -> Baseline:
        """The baseline that these records make, all of one fingerprint."""
        ordered = sorted(records, key=lambda r: r.seeds.seed)
        first = ordered[0]
        return cls(
            recipe=first.recipe,
            task=first.task,
            model=first.model,
            revision=first.revision,
            metric=first.metric,
            constant_score=first.constant_score,
            experiment=first.fingerprint.experiment,
            environment=first.fingerprint.environment,
            recorded=max(r.finished for r in ordered)[:10],
            stabbench=stabbench.__version__,
            scores={r.seeds.seed: r.score for r in ordered},
            failed={r.seeds.seed: r.reason for r in ordered if r.outcome is Outcome.FAILED},
            loosened=tuple(loosened),
        )

    def fresh_seeds(self, count: int) -> list[int]:
        """The first so many seeds that this baseline has not used: a sample of its own."""
        free = (seed for seed in range(len(self.scores) + count) if seed not in self.scores)
        return [seed for seed, _ in zip(free, range(count), strict=False)]


def cell_name(recipe: str, task: str, model: str) -> str:
    """How a cell is called in messages."""
    return f"{recipe} on {task}, {model}"


def load(path: Path, *, must_exist: bool = True) -> dict[str, Baseline]:
    """All cells of a file, by name.

    Raises:
        BaselineError: It is missing, unreadable, truncated, edited, or of a newer version.
    """
    if not path.exists() and not must_exist:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BaselineError(f"no baselines file {path}", "make one: stabbench baseline record RECIPE") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baselines file {path} cannot be read: {error}") from error
    try:
        data = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
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


def select(cells: Mapping[str, Baseline], recipes: Sequence[str] = (), task: str | None = None) -> list[Baseline]:
    """The cells of these recipes and this task; all of them where nothing is named.

    Raises:
        BaselineError: There are none, or none of one of the recipes on this task.
    """
    on_task = [cell for cell in cells.values() if task in (None, cell.task)]
    if not on_task:
        what = "the baselines file has no cells" if task is None or not cells else _unknown_task(cells, task)
        raise BaselineError(what, "see: stabbench baseline show; to add some: stabbench baseline record")
    for recipe in recipes:
        if not any(cell.recipe == recipe for cell in on_task):
            where = "" if task is None else f" on {task}"
            known = {cell.recipe for cell in on_task}
            raise BaselineError(unknown(f"baseline{where} of recipe", recipe, known), "see: stabbench baseline show")
    return [cell for cell in on_task if not recipes or cell.recipe in recipes]


def _unknown_task(cells: Mapping[str, Baseline], task: str) -> str:
    return unknown("baseline of task", task, {cell.task for cell in cells.values()})


def save(path: Path, cells: Iterable[Baseline]) -> None:
    """Write the file, all of it or nothing; cells ordered by task, model and recipe.

    Raises:
        BaselineError: It cannot be written.
    """
    ordered = sorted(cells, key=lambda c: (c.task, c.model, c.recipe))
    data = {"schema": SCHEMA, "cells": [_to_json(cell) for cell in ordered]}
    try:
        write_whole(path, json.dumps(data, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise BaselineError(f"the baselines file {path} cannot be written: {error.strerror}") from error


def _to_json(cell: Baseline) -> dict[str, Any]:
    data = json.loads(json.dumps(dataclasses.asdict(cell)))
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
        data["scores"] = {int(seed): score for seed, score in data["scores"].items()}
        data["failed"] = {int(seed): reason for seed, reason in data["failed"].items()}
        data["loosened"] = tuple(Loosening(**note) for note in data["loosened"])
        cell = Baseline(**data)
        _ = cell.sample
        if not cell.scores:
            raise ValueError("it has no scores")
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
