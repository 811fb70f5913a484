"""MLflow: an experiment, at ``MLFLOW_TRACKING_URI``, else in the file that MLflow itself would take.

The experiment is ``MLFLOW_EXPERIMENT_NAME``, else ``stabbench``. A run has the tag ``stabbench.run``, and is FINISHED
once everything of it is there, whether it failed or not: a failed run is a measurement.
"""

from __future__ import annotations

import os
import re

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from stabbench.records.rows import RUN_ID
from stabbench.trackers.tracker import PROJECT, LoggedRun

# Limits of one request, and of one value.
_NOT_IN_A_NAME = re.compile(r"[^\w\-. /:]|(?<=/)[./]|/$")  # what a training calls its metrics may be anything
_MOST_METRICS, _MOST_PARAMETERS, _LONGEST = 1000, 100, 6000


class MLflow:
    """One experiment of an MLflow server or file."""

    def __init__(self) -> None:
        self._client = MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        found = self._client.get_experiment_by_name(name)
        self._experiment: str = self._client.create_experiment(name) if found is None else found.experiment_id

    def logged(self, run_id: str) -> bool:
        """Whether a finished run has its tag."""
        return any(run.info.status == "FINISHED" for run in self._runs(run_id))

    def log(self, run: LoggedRun) -> None:
        """Write one run, and remove what a killed command has left of it."""
        for left in self._runs(run.id):
            self._client.delete_run(left.info.run_id)
        start = round(run.started * 1000)
        end = round((run.started + run.seconds) * 1000)
        made = self._client.create_run(
            self._experiment, start_time=start, run_name=run.name, tags={RUN_ID: run.id}
        ).info.run_id
        parameters = [Param(key, str(value)[:_LONGEST]) for key, value in run.parameters.items()]
        points = [Metric(name, value, end, step) for name, curve in run.curves.items() for step, value in curve]
        points += [Metric(_NOT_IN_A_NAME.sub("_", name), value, end, run.steps) for name, value in run.metrics.items()]
        for first in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(made, params=parameters[first : first + _MOST_PARAMETERS])
        for first in range(0, len(points), _MOST_METRICS):
            self._client.log_batch(made, metrics=points[first : first + _MOST_METRICS])
        self._client.set_terminated(made, end_time=end)

    def close(self) -> None:
        """Nothing is held back."""

    def _runs(self, run_id: str) -> list[Run]:
        return list(self._client.search_runs([self._experiment], f"tags.`{RUN_ID}` = '{run_id}'"))
