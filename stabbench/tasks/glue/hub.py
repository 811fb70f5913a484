"""The nine GLUE tasks as sources: from the hub, through ``datasets``, or from files where there is a data folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stabbench.errors import TaskError
from stabbench.tasks.glue.specs import GLUE_TASKS, HUB_DATASET
from stabbench.tasks.task import Examples, Task


@dataclass(frozen=True)
class GlueHub:
    """A GLUE task from the hub, or from its local cache.

    Attributes:
        name: Such as ``glue/rte``.
        folder: None: it reads no data folder.
    """

    name: str
    folder: None = None

    def load(self) -> Task:
        """The task; a hub that cannot be reached, and a cache that does not hold it, are TaskErrors."""
        return _load(self.name)


def _load(name: str) -> Task:
    import datasets

    spec = GLUE_TASKS[name]
    config = name.removeprefix("glue/").removesuffix("-mismatched")
    first, second = spec.hub_columns
    try:
        splits: Sequence[Any] = datasets.load_dataset(HUB_DATASET, config, split=["train", spec.evaluation[1]])
        train, evaluation = (
            Examples(
                list(rows[first]),
                None if second is None else list(rows[second]),
                [float(label) for label in rows["label"]],
            )
            for rows in splits
        )
    except Exception as error:  # the client raises whatever its HTTP library does, besides its own errors
        raise TaskError(
            f"task {name!r}: cannot load {HUB_DATASET} ({config}) from the hub or its cache: {type(error).__name__}",
            f"offline: give the official TSV files with --data-dir (a folder with {spec.folder}/train.tsv), "
            "or fill the cache (HF_HOME) on a machine that has a network and set HF_HUB_OFFLINE=1",
        ) from error
    return Task(name, spec.metric, spec.classes, train, evaluation, source=f"{HUB_DATASET} ({config}) from the hub")
