"""Trained weights that were kept on request: one safetensors file a run, named after it, in the store's folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from stabbench.errors import StabbenchError, StoreError
from stabbench.records.run import RunRecord

FOLDER = "weights"


def weights_file(store: Path, run_id: str) -> Path:
    """Where the weights of a run are kept, if they are."""
    return store / FOLDER / f"{run_id}.safetensors"


def kept_weights(store: Path, record: RunRecord) -> Path:
    """The file of a run's weights at the end of its training, each parameter by its name in the model.

    Raises:
        StoreError: They were not kept, or are gone.
    """
    path = weights_file(store, record.id)
    if not path.is_file():
        raise StoreError(
            f"the weights of run {record.id} ({record.recipe}, seed {record.seeds.seed}) are not in "
            f"{store / FOLDER}: they were not kept, or are gone",
            f"stabbench run {record.recipe} --seeds {record.seeds.seed}, --keep-weights, with the same task, model and "
            "other options, trains it again and keeps them",
        )
    return path


def with_weights(store: Path, records: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
    """Those of the runs whose weights are kept."""
    return {run_id: record for run_id, record in records.items() if weights_file(store, run_id).is_file()}


def check_room(store: Path, size: int) -> None:
    """Find out before any training whether there is room for weights.

    Args:
        store: The folder of the store; it exists.
        size: Bytes that they will take.

    Raises:
        StabbenchError: There is not.
    """
    free = shutil.disk_usage(store).free
    if size > free:
        raise StabbenchError(
            f"--keep-weights would write {size / 1e9:.1f} GB into {store / FOLDER}, and {free / 1e9:.1f} GB are free",
            "free some space, name a store on another disk with --store, or keep the weights of fewer seeds",
        )


def move_weights(source: Path, target: Path, run_id: str) -> None:
    """Move the weights of a run from one store to another, where the first has them."""
    path = weights_file(source, run_id)
    if path.is_file():
        there = weights_file(target, run_id)
        there.parent.mkdir(exist_ok=True)
        path.replace(there)
