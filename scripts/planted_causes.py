"""Count how often `stabbench diagnose` names a cause that was planted, and how often it blames a good run.

    python scripts/planted_causes.py --store planted

Honest trainings of the lab model, some twenty minutes on two cores; a second call takes what the store has. Whether a
training without bias correction fails is left to it: those that do are the ones to be named. All others have their
cause by construction.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from tabulate import tabulate

import stabbench
from stabbench.diagnostics.causes import Cause
from stabbench.diagnostics.diagnose import Diagnosis, diagnose
from stabbench.models.layout import Layout
from stabbench.recipes import ParameterGroup, Recipe
from stabbench.recipes.mosbach import Mosbach
from stabbench.records.run import Outcome
from stabbench.tasks.registry import load_task
from stabbench.tasks.task import Examples, Task

TASK = "lab/entailment"
MEMORISED_EXAMPLES = 64


class Still(stabbench.Recipe):
    """Every group's rate is 0."""

    name = "planted-rate-0"
    bias_correction = True

    def groups(self, layout: Layout) -> list[ParameterGroup]:
        """As usual, but for the rate."""
        return [dataclasses.replace(group, lr_factor=0.0) for group in super().groups(layout)]


class Overflow(stabbench.Recipe):
    """In the middle one update is so large that the weights overflow."""

    name = "planted-nan"
    bias_correction = True

    def schedule(self, step: int, total_steps: int) -> float:
        """As usual, but for one step."""
        return 1e38 if step == total_steps // 2 else super().schedule(step, total_steps)


class Spike(Mosbach):
    """Late in the training one update is a thousand times as large as it should be, as one bad batch makes it."""

    name = "planted-spike"

    def schedule(self, step: int, total_steps: int) -> float:
        """As usual, but for one step."""
        return super().schedule(step, total_steps) * (1000.0 if step == total_steps * 3 // 4 else 1.0)


@dataclasses.dataclass(frozen=True)
class Plant:
    """A cause and what plants it.

    Attributes:
        what: In words.
        cause: As it is to be named; None for good runs.
        recipe: What is trained.
        runs: How many.
        shuffled: The labels of a few training examples are shuffled, to be learnt by heart.
        failed_only: Only runs that failed are to be named.
    """

    what: str
    cause: Cause | None
    recipe: str | Recipe
    runs: int
    shuffled: bool = False
    failed_only: bool = False


PLANTS = (
    Plant("no bias correction", Cause.VANISHING_GRADIENTS, "devlin", 30, failed_only=True),
    Plant("rate × 10", Cause.VANISHING_GRADIENTS, "bias-correction:lr=2e-4", 16),
    Plant("rate 0", Cause.NEVER_MOVED, Still(epochs=0.5), 16),
    Plant("shuffled labels", Cause.NO_GENERALISATION, "bias-correction:epochs=60", 16, shuffled=True),
    Plant("overflow", Cause.NON_FINITE, Overflow(epochs=0.5), 16),
    Plant("one bad update", Cause.SPIKE, Spike(epochs=5), 16),
    Plant("none", None, "mosbach", 14),
    Plant("none", None, "bias-correction", 86),
)


def shuffled_task() -> Task:
    """A few training examples with labels that say nothing of them."""
    task, rng = load_task(TASK), random.Random(0)
    assert task.train.second is not None
    few, labels = slice(MEMORISED_EXAMPLES), [0] * MEMORISED_EXAMPLES
    for true in (0, 1):
        # Of each class half, or by chance there would be something to learn.
        of_class = [place for place, label in enumerate(task.train.labels[few]) if label == true]
        for place in rng.sample(of_class, len(of_class) // 2):
            labels[place] = 1
    train = Examples(task.train.first[few], task.train.second[few], labels)
    return stabbench.Task("planted/shuffled", task.metric, task.classes, train, task.evaluation)


def planted(plant: Plant, store: Path, runs: int) -> list[Diagnosis]:
    """The diagnoses of the runs in question."""
    task: str | Task = shuffled_task() if plant.shuffled else TASK
    (found,) = stabbench.compare([plant.recipe], task=task, seeds=runs, store=store).recipes
    failed = [record for record in found.records if record.outcome is Outcome.FAILED]
    return diagnose(found, failed if plant.failed_only else None)


def row(plant: Plant, found: Sequence[Diagnosis]) -> list[object]:
    """Of one plant: how many runs, how many named as it was planted, and what the others were called."""
    others = Counter("none" if each.cause is None else str(each.cause) for each in found if each.cause != plant.cause)
    right = sum(each.cause == plant.cause for each in found)
    recipe = plant.recipe if isinstance(plant.recipe, str) else plant.recipe.label
    called = ", ".join(f"{count} {cause}" for cause, count in others.most_common())
    return [plant.what, recipe, "none" if plant.cause is None else plant.cause.value, len(found), right, called]


@click.command(help=__doc__)
@click.option("--store", type=click.Path(path_type=Path), default=Path("planted"), show_default=True)
@click.option("--share", type=float, default=1.0, show_default=True, help="Of the runs, for a trial.")
def main(store: Path, share: float) -> None:  # noqa: D103
    rows, right, total, clean, good = [], 0, 0, 0, 0
    for plant in PLANTS:
        found = planted(plant, store, max(1, round(plant.runs * share)))
        rows.append(row(plant, found))
        named = sum(each.cause == plant.cause for each in found)
        if plant.cause is None:
            clean, good = clean + named, good + len(found)
        else:
            right, total = right + named, total + len(found)
        click.echo(f"{plant.what}: done", err=True)
    headings = ["planted", "recipe", "to be named", "runs", "right", "the others were called"]
    click.echo(tabulate(rows, headings, tablefmt="github", disable_numparse=True))
    click.echo(f"\nnamed right: {right} of {total}; good runs without a cause: {clean} of {good}")


if __name__ == "__main__":
    main()
