"""The unit of work: one recipe, one task, one model, a group of seeds trained together; and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from stabbench.models.source import ModelSource
from stabbench.recipes import Recipe
from stabbench.records.checkpoints import Checkpoints
from stabbench.records.detail import DEFAULT_DETAIL, Detail
from stabbench.records.run import Fingerprint
from stabbench.records.seeds import Seeds
from stabbench.tasks.source import TaskSource

# Called with the number of seed-steps just made.
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """Plain data, so that it can be sent to another process.

    Attributes:
        recipe: With its model's defaults filled in.
        label: The recipe's label in records and tables.
        task: Where the task is.
        model: Where the model is.
        seeds: The group.
        stacked: Whether the model may be stacked; where not, the group is one seed.
        device: ``"cpu"`` or ``"cuda"``.
        max_steps: Stop there, if set.
        fingerprint: Of every run of the group.
        start: A file of encoder weights to start from in place of the model's own.
        keep: The file to keep the trained encoder's weights in; the group is then one seed.
        checkpoints: Where a long training leaves its state now and then, and goes on from what is there.
        detail: How much is kept of what happens; no number of the training depends on it.
        weights: The store to keep each run's trained weights in; None keeps none.
    """

    recipe: Recipe
    label: str
    task: TaskSource
    model: ModelSource
    seeds: tuple[Seeds, ...]
    stacked: bool
    device: str
    max_steps: int | None
    fingerprint: Fingerprint
    start: Path | None = None
    keep: Path | None = None
    checkpoints: Checkpoints | None = None
    detail: Detail = DEFAULT_DETAIL
    weights: Path | None = None


@dataclass(frozen=True)
class ModelCheck:
    """What to find out about a model before it is trained on a task: plain data, too.

    Attributes:
        model: Where it is.
        task: Where the task is.
        data: The digest of the task's data.
        recipes: Each with its steps of a whole training.
    """

    model: ModelSource
    task: TaskSource
    data: str
    recipes: tuple[tuple[Recipe, int], ...]


# How far to go from a run's start towards one trained model, and how far towards another.
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class PlanePart:
    """Some points of the plane through a run's start and two trained models.

    Attributes:
        job: That of the run; of its seeds the first is meant.
        first: The file of the weights of one of the models.
        second: That of the other one.
        points: In multiples of the ways to the two.
        gradients: Whether gradient norms are asked for, too.
        examples: The number of training examples.
        stack: How many points are evaluated together.
    """

    job: Job
    first: Path
    second: Path
    points: tuple[Point, ...]
    gradients: bool
    examples: int
    stack: int


@dataclass(frozen=True)
class PlaneValues:
    """What was found at points of a plane.

    Attributes:
        points: The points.
        losses: The mean loss at each.
        norms: The norm of its gradient by all parameters; NaN where it was not asked for.
    """

    points: tuple[Point, ...]
    losses: tuple[float, ...]
    norms: tuple[float, ...]


@dataclass(frozen=True)
class PerplexityPart:
    """Texts whose masked words are predicted by a trained encoder.

    Attributes:
        job: That of a run: the model, its device and precision, and the length of texts.
        weights: The file of its weights.
        texts: The texts.
    """

    job: Job
    weights: Path
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Perplexities:
    """How well masked words are predicted; None where the number is not finite.

    Attributes:
        weights: The file of the trained weights.
        pretrained: The perplexity of the pretrained model.
        put_back: That of the trained one with none, one, two, ... all of its top blocks as pretrained.
    """

    weights: Path
    pretrained: float | None
    put_back: tuple[float | None, ...]


@dataclass(frozen=True)
class CheckedModel:
    """A model that can be trained.

    Attributes:
        reason: Why it must be trained one seed at a time; empty where it can be stacked.
        notes: What the user should know.
    """

    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Memory:
    """Device memory of one seed.

    Attributes:
        cell: The identity of the job's cell.
        needed: Bytes that the training of one seed takes at most; a stack of K seeds takes K times as much. None where
            it could not be found out.
        free: Bytes that were there for it; None where nothing tells.
        reason: Why it could not be found out.
    """

    cell: str
    needed: int | None
    free: int | None
    reason: str = ""


@dataclass(frozen=True)
class Pace:
    """Seconds that a group takes.

    Attributes:
        cell: The identity of the job's cell.
        setup: Until the first step: loading the model, tokenising.
        step: One step, for each of its seeds.
        evaluation: Scoring it once, for each of its seeds.
        evaluations: How often it is scored.
    """

    cell: str
    setup: float
    step: float
    evaluation: float
    evaluations: int

    def of(self, seeds: int, steps: int) -> float:
        """Seconds that a group of ``seeds`` seeds takes for ``steps`` steps."""
        return self.setup + seeds * (steps * self.step + self.evaluations * self.evaluation)


@dataclass(frozen=True)
class FirstLosses:
    """The losses of the first steps of one seed.

    Attributes:
        seeds: The seed's streams.
        losses: Of each step.
    """

    seeds: Seeds
    losses: tuple[float, ...]
