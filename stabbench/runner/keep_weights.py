"""Trained weights that a command keeps: which stored runs must be trained again for them, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stabbench.errors import StabbenchError
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.weights import check_room, weights_file, with_weights
from stabbench.runner.cells import AnyResolved, Cell, ResolvedRecipes, count_runs
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources


class KeptWeights:
    """The weights of a plan's runs; of a command that keeps none it does nothing.

    Args:
        resolved: The plan with what it names.
        resources: The store, and whether weights are kept.
        progress: Told what is trained again.

    Raises:
        StabbenchError: The plan is one of training code, whose weights stabbench does not see.
    """

    def __init__(self, resolved: AnyResolved, resources: Resources, progress: Progress) -> None:
        self._store, self._progress = resources.store, progress
        self._keeps = resources.keep_weights
        self._size = 0
        if self._keeps and not isinstance(resolved, ResolvedRecipes):
            raise StabbenchError(
                "weights of training code cannot be kept: stabbench does not see them",
                "let the code save them itself: in a training file {output} is a folder of the run's own",
            )
        if isinstance(resolved, ResolvedRecipes):
            self._size = resolved.model.weights_bytes()

    def done(self, stored: Mapping[str, RunRecord]) -> Mapping[str, RunRecord]:
        """Those of the stored runs that need no training."""
        return with_weights(self._store, stored) if self._keeps else stored

    def begin(self, missing: Sequence[Cell], stored: Mapping[str, RunRecord]) -> None:
        """Say which stored runs are trained again, and look for room.

        Raises:
            StabbenchError: There is not enough.
        """
        if not self._keeps:
            return
        check_room(self._store, count_runs(missing) * self._size)
        again = [run_id for cell in missing for run_id in cell.run_ids if _measured(stored.get(run_id))]
        if again:
            runs = "1 stored run is" if len(again) == 1 else f"{len(again):,} stored runs are"
            self._progress.note(f"{runs} trained again to keep the weights; the numbers in the store stay")

    def check(self, trained: Sequence[RunRecord], stored: Mapping[str, RunRecord]) -> None:
        """Drop the weights of a training that gave other numbers than the stored run, whose weights they are not."""
        for record in trained if self._keeps else ():
            old, path = stored.get(record.id), weights_file(self._store, record.id)
            if record.outcome is not Outcome.MISSING and not path.is_file():
                self._progress.note(
                    f"run {record.id}: its weights have not come into {path.parent}; the machines of a cluster need a "
                    "folder that they share"
                )
            elif (
                old is not None and _measured(old) and (old.score, old.final_loss) != (record.score, record.final_loss)
            ):
                path.unlink(missing_ok=True)
                self._progress.note(
                    f"run {record.id}: trained again it gave other numbers than those in the store (score {old.score}, "
                    f"now {record.score}), so its weights are not kept; --fresh compares all numbers"
                )


def _measured(record: RunRecord | None) -> bool:
    return record is not None and record.outcome is not Outcome.MISSING
