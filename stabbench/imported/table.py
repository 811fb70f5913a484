"""A table of one run a row: columns ``seed`` and ``score``, and optionally others of what ``--csv`` writes.

What ``--csv`` writes is read again as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from stabbench.errors import excerpt
from stabbench.imported.found import FoundRun, ResultsError, is_empty, whole_number
from stabbench.imported.rows import read_rows
from stabbench.imported.score import SCORE, read_under_its_name
from stabbench.records.rows import COLUMNS, as_written
from stabbench.records.run import Outcome

NAME = "a table"
# What --csv writes, too, is no score; neither are names.
_OF_A_RUN = frozenset({*COLUMNS, "failed", "name", "run", "run_name"} - {"score", "validation_score", "final_loss"})
_NAMES = ("name", "run", "run_name")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def matches(path: Path) -> bool:
    """Whatever file no other format knows."""
    return path.is_file()


def read(path: Path) -> list[FoundRun]:
    """One run a row."""
    return [run_of(where, row) for where, row in read_rows(path).rows]


def run_of(where: str, row: Mapping[str, object], unfinished: str = "", names: tuple[str, ...] = ()) -> FoundRun:
    """The run of a row.

    Raises:
        ResultsError: An unknown mark in ``failed`` or ``outcome``.
    """
    outcome = _outcome(where, row)
    failed = True if outcome is Outcome.FAILED else False if outcome is Outcome.OK else None
    if outcome is Outcome.MISSING:
        unfinished = _text(row, "reason") or "missing where it was measured"
    metric = _text(row, "metric") if SCORE in row else ""
    return FoundRun(
        where=where,
        metrics=read_under_its_name({key: value for key, value in row.items() if key not in _OF_A_RUN}, metric),
        parameters=row,
        names=(*names, *(_text(row, key) for key in _NAMES if _text(row, key))),
        recipe=_text(row, "recipe"),
        task=_text(row, "task"),
        model=_text(row, "model"),
        metric=metric,
        constant_score=row.get("constant_score"),
        unfinished=unfinished,
        failed=failed if is_empty(row.get("failed")) else _truth(where, row["failed"]),
        reason=_text(row, "reason"),
        steps=whole_number(row.get("steps")),
        finished=_moment(row.get("finished")),
    )


def _moment(value: object) -> str:
    """A time in ISO 8601, as records have it; empty for anything else."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def _outcome(where: str, row: Mapping[str, object]) -> Outcome | None:
    text = _text(row, "outcome")
    if not text:
        return None
    try:
        return Outcome(text)
    except ValueError as error:
        known = ", ".join(Outcome)
        raise ResultsError(f"{where} has the outcome {excerpt(text)}", f"it should be one of: {known}") from error


def _truth(where: str, value: object) -> bool:
    truth = _TRUTH.get(str(value).strip().lower().removesuffix(".0"))
    if truth is None:
        raise ResultsError(f"{where} has failed {excerpt(value)}", "it should be true or false")
    return truth


def _text(row: Mapping[str, object], column: str) -> str:
    value = row.get(column)
    return "" if is_empty(value) else as_written(str(value).strip())
