"""Which of a seed's streams change a run: short trainings, each of which differs from the first in one stream alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from stabbench.records.seeds import STREAMS, Seeds, Stream
from stabbench.runner.cells import RecipeCell
from stabbench.runner.executors import Lost
from stabbench.runner.scheduler import Scheduler


@dataclass(frozen=True)
class Streams:
    """What changes the runs of a recipe.

    Attributes:
        moving: The streams whose seed changes the losses of the first steps.
        repeatable: Whether the same seeds gave the same numbers; where not, nothing is known of the streams.
        reason: Why it could not be found out; empty where it was.
    """

    moving: Sequence[Stream] = ()
    repeatable: bool = True
    reason: str = ""


def try_streams(scheduler: Scheduler, cell: RecipeCell) -> Streams:
    """Train a few steps with the same seeds twice, and once for each stream with another seed for it alone.

    Args:
        scheduler: Of the plan.
        cell: The recipe on its task; its seeds do not matter.
    """
    same = Seeds.of(0)
    tried = [same, dataclasses.replace(same, seed=1), *(Seeds.of(0, **{stream: 1}) for stream in STREAMS)]
    found: dict[Seeds, tuple[float, ...]] = {}
    for answer in scheduler.losses([scheduler.job(cell, [seeds]) for seeds in tried]):
        if isinstance(answer, Lost):
            return Streams(reason=answer.reason)
        found[answer.seeds] = answer.losses
    first, again, *others = (found[seeds] for seeds in tried)
    if again != first:
        return Streams(repeatable=False)
    return Streams([stream for stream, losses in zip(STREAMS, others, strict=True) if losses != first])
