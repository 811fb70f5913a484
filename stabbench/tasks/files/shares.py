"""A share of the training set for evaluation or validation: stratified, and the same for all seeds."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from stabbench.errors import TaskError
from stabbench.tasks.sampling import split
from stabbench.tasks.task import Task


def split_off(task: Task, shares: Mapping[str, float]) -> Task:
    """The task with shares of its training set in the places of other sets, and a note of each.

    Args:
        task: With all of its training set.
        shares: By ``"evaluation"`` and ``"validation"``, each of the whole training set.

    Raises:
        TaskError: Nothing is left to train on, or nothing is split off.
    """
    whole = len(task.train)
    for part, share in shares.items():
        strata = task.train.labels if task.kind in ("binary", "multi-class") else [0.0] * len(task.train)
        sizes = _sizes(strata, share * whole / len(task.train))
        number = sum(sizes.values())
        if not 0 < number < len(task.train):
            raise TaskError(
                f"task {task.name!r}: {share:g} of its {whole:,} rows for {part} leaves no rows on one side",
                "give another share, or a file of its own",
            )
        chosen, rest = split(task.train, strata, sizes, "a share of the training set", part)
        how = "with the same share of every class, " if len(sizes) > 1 else ""
        note = f"task {task.name!r}: {number:,} of {whole:,} rows are for {part}, {how}the same ones for all seeds"
        task = dataclasses.replace(task, train=rest, notes=(*task.notes, note))
        task = (
            dataclasses.replace(task, evaluation=chosen)
            if part == "evaluation"
            else dataclasses.replace(task, validation=chosen)
        )
    return task


def _sizes(strata: Sequence[float], share: float) -> dict[float, int]:
    """The share of each stratum, in whole rows that add up to that of all; a stratum of one row keeps it."""
    counts = sorted(Counter(strata).items())
    left = round(share * sum(count for _, count in counts if count > 1))
    sizes = {stratum: int(share * count) if count > 1 else 0 for stratum, count in counts}
    # The largest remainders first.
    by_rest = sorted(counts, key=lambda item: (sizes[item[0]] - share * item[1], item[0]))
    for stratum, count in by_rest:
        if sum(sizes.values()) < left and sizes[stratum] < count - 1:
            sizes[stratum] += 1
    return sizes
