"""Trackio, local: a project's SQLite file in ``TRACKIO_DIR``, else where Trackio itself would put it.

The project is ``TRACKIO_PROJECT``, else ``stabbench``. A run's last row has its score: what lacks it is not whole.
"""

from __future__ import annotations

import contextlib
import io
import os

import trackio
from trackio.sqlite_storage import SQLiteStorage

from stabbench.errors import StabbenchError
from stabbench.trackers.tracker import PROJECT, LoggedRun

# Runs in a Space or on a server are not found again by what is on this machine.
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


class Trackio:
    """One project on this machine."""

    def __init__(self) -> None:
        if named := [variable for variable in _ELSEWHERE if os.environ.get(variable)]:
            raise StabbenchError(
                f"runs are logged to this machine, and {named[0]} is set", "unset it; then: trackio sync"
            )
        self._project = os.environ.get("TRACKIO_PROJECT") or PROJECT

    def logged(self, run_id: str) -> bool:
        """Whether its score is there."""
        return any(
            "score" in row
            for run in self._runs(run_id)
            for row in SQLiteStorage.get_logs(self._project, run.name, run_id=run.id)
        )

    def log(self, run: LoggedRun) -> None:
        """Write one run, in the place of what a killed command has left of it.

        Raises:
            StabbenchError: Trackio has not written all of it, which it does not raise itself.
        """
        for left in self._runs(run.id):
            left.delete()
        with contextlib.redirect_stdout(io.StringIO()):  # it says the same of every run
            made = trackio.init(
                self._project,
                name=f"{run.name} {run.id}",
                config=dict(run.parameters),
                embed=False,
                auto_log_cpu=False,
                auto_log_gpu=False,
            )
            for step, row in run.rows():
                made.log(row, step=step)
            trackio.finish()
        if not self.logged(run.id):
            raise StabbenchError("not everything was written")

    def close(self) -> None:
        """Nothing is held back."""

    def _runs(self, run_id: str) -> list[trackio.api.Run]:
        if not SQLiteStorage.get_project_db_path(self._project).exists():
            return []
        return [run for run in trackio.Api().runs(self._project) if run.name.endswith(f" {run_id}")]
