"""W&B, offline: runs are written to ``WANDB_DIR``, and ``wandb sync`` uploads them whenever there is a network.

No training waits for a server or for a login. The project is ``WANDB_PROJECT``, else ``stabbench``; a run's id there is
its identity, so that W&B, too, knows it as one run however often it is uploaded.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import wandb

from stabbench.imported.found import ResultsError
from stabbench.imported.wandb_local import read_run
from stabbench.trackers.tracker import PROJECT, LoggedRun


class WandB:
    """The local runs of one project."""

    def __init__(self) -> None:
        self._project = os.environ.get("WANDB_PROJECT") or PROJECT
        self._settings = wandb.Settings(console="off", silent=True, x_disable_stats=True, x_disable_meta=True)

    def logged(self, run_id: str) -> bool:
        """Whether a run of its id is there with its end."""
        return any(_is_whole(folder, run_id) for folder in self._folders(run_id))

    def log(self, run: LoggedRun) -> None:
        """Write one run, in the place of what a killed command has left of it."""
        for left in self._folders(run.id):
            shutil.rmtree(left)
        made = wandb.init(
            project=self._project,
            id=run.id,
            name=run.name,
            config=dict(run.parameters),
            mode="offline",
            resume="allow",
            reinit="create_new",
            settings=self._settings,
        )
        for step, row in run.rows():
            made.log(row, step=step)
        made.finish()

    def close(self) -> None:
        """End the process of W&B's that writes."""
        wandb.teardown()

    def _folders(self, run_id: str) -> list[Path]:
        return sorted(Path(wandb.setup().settings.wandb_dir).glob(f"offline-run-*-{run_id}"))


def _is_whole(folder: Path, run_id: str) -> bool:
    file = folder / f"run-{run_id}.wandb"
    try:
        found = read_run(file) if file.is_file() else None
    except ResultsError:
        return False
    # The score comes last; W&B ends a run properly even where Ctrl-C has ended the command.
    return found is not None and not found.unfinished and "score" in found.metrics
