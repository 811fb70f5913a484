"""Trackio's SQLite file of a project: a row a step with its metrics in JSON, and a configuration a run.

Versions differ in their columns: newer ones know runs by an id, as two may have one name; values are texts or bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stabbench.imported.found import FoundRun, ResultsError
from stabbench.imported.sqlite import select, tables

NAME = "a Trackio project"


def matches(path: Path) -> bool:
    """A SQLite file with Trackio's table of metrics."""
    return {"run_name", "step", "metrics"} <= tables(path).get("metrics", set())


def read(path: Path) -> list[FoundRun]:
    """One run a run; a metric's value is the last one logged. Trackio does not say whether a run crashed."""
    has = tables(path)
    key = "run_id" if "run_id" in has["metrics"] else "run_name"
    metrics: dict[str, dict[str, object]] = {}
    names: dict[str, str] = {}
    steps: dict[str, int] = {}
    query = f"SELECT {key}, run_name, step, metrics FROM metrics ORDER BY step, rowid"
    for run, name, step, content in select(path, query):
        metrics.setdefault(str(run), {}).update(_object(path, content))
        names[str(run)] = str(name)
        steps[str(run)] = step if isinstance(step, int) else 0
    parameters: dict[str, dict[str, Any]] = {}
    columns = has.get("configs", set())
    if "config" in columns and (own := key if key in columns else "run_name") in columns:
        for run, content in select(path, f"SELECT {own}, config FROM configs ORDER BY rowid"):
            parameters[str(run)] = _object(path, content)
    return [
        FoundRun(
            where=f"{path}, run {names[run]}",
            metrics=values,
            parameters=parameters.get(run, parameters.get(names[run], {})),
            names=(names[run],),
            steps=steps[run] or None,
        )
        for run, values in metrics.items()
    ]


def _object(path: Path, content: object) -> dict[str, Any]:
    try:
        found = json.loads(content) if isinstance(content, str | bytes) else None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} has metrics or a configuration that are no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ResultsError(f"{path} has metrics or a configuration that are no JSON object")
    return found
