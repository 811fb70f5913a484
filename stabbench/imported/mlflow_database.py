"""MLflow's SQLite database: runs, their parameters, and the last value of each metric."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stabbench.imported.found import FoundRun, number
from stabbench.imported.sqlite import select, tables

NAME = "an MLflow database"
FINISHED = "FINISHED"
# How MLflow stores what SQLite cannot: an infinity as the largest number, NaN as 0 with a mark.
_INFINITE = 1.797e308


def matches(path: Path) -> bool:
    """A SQLite file with MLflow's tables."""
    return {"runs", "params", "latest_metrics"} <= tables(path).keys()


def read(path: Path) -> list[FoundRun]:
    """One run a run that is not deleted; its recipe is its experiment."""
    has = tables(path)
    title = "name" if "name" in has["runs"] else "run_uuid"
    experiments: dict[str, str] = {}
    if "experiments" in has:
        experiments |= {
            str(key): str(name) for key, name in select(path, "SELECT experiment_id, name FROM experiments")
        }
    metrics: dict[str, dict[str, object]] = {}
    steps: dict[str, int] = {}
    for run, key, value, nan, step in select(path, "SELECT run_uuid, key, value, is_nan, step FROM latest_metrics"):
        metrics.setdefault(str(run), {})[str(key)] = float("nan") if nan else _unclipped(value)
        steps[str(run)] = max(steps.get(str(run), 0), step if isinstance(step, int) else 0)
    parameters: dict[str, dict[str, object]] = {}
    for run, key, value in select(path, "SELECT run_uuid, key, value FROM params"):
        parameters.setdefault(str(run), {})[str(key)] = value
    query = f"SELECT run_uuid, {title}, status, end_time, experiment_id FROM runs WHERE lifecycle_stage = 'active'"
    return [
        FoundRun(
            where=f"{path}, run {called or run}",
            metrics=metrics.get(str(run), {}),
            parameters=parameters.get(str(run), {}),
            names=(str(called),),
            recipe=experiments.get(str(experiment), ""),
            unfinished="" if status == FINISHED else f"its status in MLflow is {status}",
            steps=steps.get(str(run)) or None,
            finished=moment(end),
        )
        for run, called, status, end, experiment in select(path, query)
    ]


def moment(milliseconds: object) -> str:
    """MLflow's time in ISO 8601; empty where there is none."""
    if not isinstance(milliseconds, int):
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return ""


def _unclipped(value: object) -> object:
    found = number(value)
    return value if found is None or abs(found) < _INFINITE else found * 2
