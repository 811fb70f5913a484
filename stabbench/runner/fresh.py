"""Training stored runs anew, to see whether they still give the same numbers.

A command that trains anew uses a store of its own, in a folder of the usual store. In the end the two are compared, run
by run and bit by bit. The usual store keeps what it has, and gets the runs that it did not have. Where a number
differs, the folder stays, and the new measurement with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stabbench.errors import StabbenchError
from stabbench.records.history import History
from stabbench.records.run import Outcome, RunRecord
from stabbench.records.store import FILE, Store
from stabbench.records.weights import move_weights
from stabbench.runner.resources import Resources

FOLDER = "fresh"
# What a run measured. The rest is its name, its identity, or its timing.
MEASURED = ("outcome", "reason", "score", "validation_score", "kept_step", "constant_score", "final_loss", "steps")


@dataclass(frozen=True)
class Retrained:
    """A run that the store had, and that was trained anew.

    Attributes:
        record: The new one.
        stored: The day on which the stored one was trained.
        differences: What is not the same to the last bit, each as ``score 0.71 → 0.72``.
    """

    record: RunRecord
    stored: str
    differences: Sequence[str]


@dataclass
class Fresh:
    """The store of one command that trains anew.

    Attributes:
        folder: Where it is.
        planned: How many runs it holds in the end.
        retrained: Those of them that the usual store had.
    """

    folder: Path
    planned: int = 0
    retrained: list[Retrained] = field(default_factory=list)

    @property
    def differing(self) -> list[Retrained]:
        """The runs with another number than in the store."""
        return [run for run in self.retrained if run.differences]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "trained": self.planned,
            "compared": len(self.retrained),
            "different": [
                {
                    "id": run.record.id,
                    "recipe": run.record.recipe,
                    "task": run.record.task,
                    "seed": run.record.seeds.seed,
                    "stored": run.stored,
                    "differences": list(run.differences),
                }
                for run in self.differing
            ],
            "kept_in": str(self.folder) if self.differing else None,
        }

    def error(self) -> StabbenchError | None:
        """What is wrong where a number differs: the store must not be trusted then."""
        if not self.differing:
            return None
        return StabbenchError(
            f"{len(self.differing)} of {len(self.retrained)} runs gave other numbers than those in the store, under "
            "the same identity",
            f"the store is unchanged, the new runs are in {self.folder}; something has an effect on the numbers that "
            "is not part of a run's identity (data or code outside the recipe's file, or arithmetic that is not "
            "deterministic, as on some GPUs)",
        )


@contextlib.contextmanager
def resources_to_use(resources: Resources, *, anew: bool) -> Iterator[tuple[Resources, Fresh | None]]:
    """The resources of a command: the usual ones, or with an empty store that is compared with theirs at the end.

    A command that is stopped has its finished runs compared as well.

    Raises:
        StoreError: A store cannot be written.
    """
    if not anew:
        yield resources, None
        return
    store = resources.store
    with Store(store):  # found out now, and not after the training, that it cannot be written
        pass
    fresh = Fresh(store / FOLDER / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{os.getpid()}")
    try:
        yield dataclasses.replace(resources, store=fresh.folder), fresh
    finally:
        if (fresh.folder / FILE).is_file():
            _settle(fresh, store)


def _settle(fresh: Fresh, store: Path) -> None:
    with Store(fresh.folder, write=False) as new, Store(store) as usual:
        records = [record for record in new.records() if record.outcome is not Outcome.MISSING]
        had = usual.get([record.id for record in records])
        lacking = []
        for record in records:
            old = had.get(record.id)
            if old is None or old.outcome is Outcome.MISSING:
                lacking.append((record, new.history(record.id)))
            else:
                before, now = usual.history(record.id), new.history(record.id)
                found = _differences(old, record, before, now)
                fresh.retrained.append(Retrained(record, old.finished[:10], found))
                if not found and now.has_more_than(before):
                    usual.put_history(record.id, now)
        usual.put_all(lacking)
        different = {run.record.id for run in fresh.differing}
        for record in records:
            if record.id not in different:
                move_weights(fresh.folder, store, record.id)
        fresh.planned = len(records)
    for part in fresh.folder.iterdir() if fresh.differing else (fresh.folder,):
        # Of a store that stays the runs are enough, not whole encoders.
        if part.is_dir():
            shutil.rmtree(part)
    with contextlib.suppress(OSError):  # others are in it
        fresh.folder.parent.rmdir()


def _differences(old: RunRecord, new: RunRecord, before: History, now: History) -> list[str]:
    found = [
        f"{name} {_text(getattr(old, name))} → {_text(getattr(new, name))}"
        for name in MEASURED
        if getattr(old, name) != getattr(new, name)
    ]
    for name in before.differing(now):
        if name == "losses":
            pairs = enumerate(zip(before.losses, now.losses, strict=False), start=1)
            first = next((step for step, (a, b) in pairs if a != b), min(len(before.losses), len(now.losses)) + 1)
            found.append(f"losses from step {first}")
        else:
            found.append(name.replace("_", " "))
    return found


def _text(value: object) -> str:
    return "none" if value is None else str(value)
