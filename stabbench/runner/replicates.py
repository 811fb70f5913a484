"""One seed trained several times: what differs then is arithmetic that is not deterministic. On a CPU nothing does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from stabbench import statistics
from stabbench.errors import StabbenchError
from stabbench.records.history import History, Run
from stabbench.records.run import Outcome
from stabbench.runner.cells import RecipeCell
from stabbench.runner.executors import Lost
from stabbench.runner.plan import Plan
from stabbench.runner.progress import Progress
from stabbench.runner.resolve import resolve_recipes
from stabbench.runner.resources import Resources
from stabbench.runner.scheduler import Scheduler
from stabbench.statistics import Sample, Summary


@dataclass(frozen=True)
class Replicates:
    """One recipe's.

    Attributes:
        recipe: Its label.
        seed: The seed of all of them.
        scores: Their scores; None where one is not finite.
        losses_from: The first step at which their training losses are not all the same, from 1; None where they are.
        flipped: The examples of the evaluation set that not all of them predict alike; None where that is not kept.
        reason: Why there are none; empty where there are.
    """

    recipe: str
    seed: int
    scores: Sequence[float | None]
    losses_from: int | None
    flipped: int | None
    reason: str = ""

    @property
    def summary(self) -> Summary:
        """Of the scores: mean, standard deviation and so on."""
        return statistics.summarise(Sample(tuple(self.scores), tuple(score is None for score in self.scores)))

    @property
    def identical(self) -> bool:
        """Whether all of them are one and the same, as far as scores, losses and predictions go."""
        return len(set(self.scores)) == 1 and self.losses_from is None and not self.flipped


def replicate(plan: Plan, resources: Resources, number: int, progress: Progress | None = None) -> list[Replicates]:
    """Train the first seed of every recipe of a plan several times. Nothing is stored.

    Raises:
        StabbenchError: Bad input; training code, or a recipe that starts from another training.
    """
    if plan.trainings:
        raise StabbenchError("training code has no replicates", "a doctor runs it with one seed twice, without them")
    resolved = resolve_recipes(plan, resources)
    for cell in resolved.cells:
        if cell.prerequisite is not None:
            raise StabbenchError(
                f"{cell.label} starts from an encoder that is trained before, so it has no replicates here",
                "take a recipe without one",
            )
    # As many cells as trainings, so that there are as many workers.
    with Scheduler(resolved, resources, list(resolved.cells) * number, progress or Progress()) as scheduler:
        scheduler.check_model()
        return [_of(scheduler, cell, number) for cell in resolved.cells]


def _of(scheduler: Scheduler, cell: RecipeCell, number: int) -> Replicates:
    # Without checkpoints: going on from one would repeat nothing.
    job = dataclasses.replace(scheduler.job(cell, cell.seeds[:1]), checkpoints=None, weights=None)
    runs: list[Run] = []
    for found in scheduler.runs([job] * number):
        if isinstance(found, Lost):
            return Replicates(cell.label, cell.seeds[0].seed, [], None, None, found.reason)
        runs += found
    missing = next((record.reason for record, _ in runs if record.outcome is Outcome.MISSING), "")
    if missing:
        return Replicates(cell.label, cell.seeds[0].seed, [], None, None, missing)
    histories = [history for _, history in runs]
    scores = [record.score for record, _ in runs]
    return Replicates(cell.label, cell.seeds[0].seed, scores, _first_differing(histories), _flipped(histories))


def _first_differing(histories: Sequence[History]) -> int | None:
    for step, losses in enumerate(zip(*(history.losses for history in histories), strict=True), start=1):
        if len(set(losses)) > 1:
            return step
    return None


def _flipped(histories: Sequence[History]) -> int | None:
    values = [history.predictions.values for history in histories if history.predictions is not None]
    if len(values) < len(histories):
        return None
    differing = sum((one != values[0]).reshape(len(one), -1).any(1) for one in values)
    return int((differing > 0).sum())
