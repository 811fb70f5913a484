"""Running a plan: which runs are stored already, and the rest to an executor, in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stabbench.errors import StabbenchError
from stabbench.records.checkpoints import Checkpoints
from stabbench.records.locks import claimed
from stabbench.records.recipe_runs import RecipeRuns
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.store import Store
from stabbench.runner.cells import AnyResolved, ResolvedRecipes, ResolvedTrainings, measured
from stabbench.runner.check_fits import selection_warning
from stabbench.runner.distinct import check_distinct
from stabbench.runner.executors import refuse_while_imported
from stabbench.runner.keep_weights import KeptWeights
from stabbench.runner.one_by_one import OneByOne
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.remedies import remedy
from stabbench.runner.resolve import resolve
from stabbench.runner.resources import Resources
from stabbench.runner.scheduler import Scheduler
from stabbench.trackers.log import tracked
from stabbench.trainings.outputs import FOLDER as OUTPUTS

WAITING = "another process trains the same: waiting for it"


@dataclass(frozen=True)
class Execution:
    """All runs of a plan, as stored.

    Attributes:
        runs: For each recipe's label its records, in the order of the plan's seeds.
        trained: The ids of the runs that were trained for it; the store had the others.
        whole_steps: For each recipe's label the updates of a run that is not cut short; None where that is not known.
        store: The folder of the store that has them.
    """

    runs: dict[str, list[RunRecord]]
    trained: frozenset[str]
    whole_steps: dict[str, int | None]
    store: Path

    def results(self) -> list[RecipeRuns]:
        """The runs of each recipe, in the plan's order."""
        return [
            RecipeRuns(label, records, self.trained, self.whole_steps[label], store=self.store)
            for label, records in self.runs.items()
        ]

    def check_complete(self) -> Self:
        """This, if no run is missing.

        Raises:
            StabbenchError: Runs ended as ``missing``; what was measured is stored all the same.
        """
        records = [record for runs in self.runs.values() for record in runs]
        missing = [record for record in records if record.outcome is Outcome.MISSING]
        if missing:
            raise StabbenchError(
                f"{len(missing)} of {len(records)} runs are missing: {missing[0].reason}",
                f"what was measured is stored; the same command tries the rest again{remedy(missing[0].reason)}"
                + self._printed(missing[0]),
            )
        return self

    def _printed(self, run: RunRecord) -> str:
        """Where the output of training code is, which its last line alone seldom explains."""
        folder = self.store / OUTPUTS / run.id
        return f"\nwhat it printed: {folder}" if folder.is_dir() else ""


def execute(
    plan: Plan, resources: Resources, progress: Progress | None = None, resolved: AnyResolved | None = None
) -> Execution:
    """Run what is not stored yet, and give back everything.

    Args:
        plan: The runs.
        resources: How to run them, and the store.
        progress: Callbacks that are told how it goes.
        resolved: What :func:`stabbench.runner.resolve.resolve` gave for ``plan``, if that was done already.

    Raises:
        StabbenchError: Bad input, or two runs that are the same; what was measured is stored all the same.
    """
    refuse_while_imported()
    progress = progress or Progress()
    resolved = resolved or resolve(plan, resources)
    if isinstance(resolved, ResolvedRecipes):
        for note in filter(None, (selection_warning(resolved), *resolved.task.notes)):
            progress.note(note)
    wanted, own = resolved.run_ids, set(resolved.run_ids)
    with Store(resources.store) as store, tracked(resources.trackers, store, progress.note) as log:
        _tidy(store, progress)
        records = stored = store.get(wanted)
        weights = KeptWeights(resolved, resources, progress)
        if resolved.missing_from(weights.done(records)):
            names = [cell.fingerprint.cell_id for cell in resolved.all_cells()]
            with claimed(resources.store, names, lambda: progress.note(WAITING)):
                # Again, as that other process may have trained them meanwhile.
                stored = store.get(wanted)
                done = weights.done(stored)
                if missing := resolved.missing_from(done):
                    weights.begin(missing, stored)
                    with _scheduler(resolved, resources, done, progress) as scheduler:
                        for runs in scheduler.train():
                            store.put_all(runs)
                            weights.check([record for record, _ in runs], stored)
                            _tidy(store, progress, runs[0][0])
                            log.add(record for record, _ in runs if record.id in own)
            records = store.get(wanted)
        named = {cell.label: [cell.as_planned(records[run_id]) for run_id in cell.run_ids] for cell in resolved.cells}
        for label, planned in named.items():
            check_distinct(label, planned, store)
        log.add(record for planned in named.values() for record in planned)
    return Execution(
        runs=named,
        trained=frozenset(wanted) - measured(stored),
        whole_steps={cell.label: cell.whole_steps for cell in resolved.cells},
        store=resources.store,
    )


def _scheduler(
    resolved: AnyResolved, resources: Resources, stored: Mapping[str, RunRecord], progress: Progress
) -> Scheduler | OneByOne:
    """What hands out the runs that are not stored."""
    if isinstance(resolved, ResolvedTrainings):
        return OneByOne(resolved, resources, resolved.missing_from(stored), progress)
    return Scheduler(resolved, resources, resolved.missing_from(stored), progress)


def _tidy(store: Store, progress: Progress, of: RunRecord | None = None) -> None:
    """Remove the checkpoints that nobody will go on from: all, or those of the cell of a run that is recorded now."""

    def recorded(runs: Sequence[str]) -> bool:
        return set(runs) <= measured(store.get(runs))

    cell = "" if of is None else of.fingerprint.cell_id
    Checkpoints.of(store.path.parent).tidy(recorded, progress.note, cell)
