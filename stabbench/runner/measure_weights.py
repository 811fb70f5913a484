"""Looking at kept weights: points of a plane through trained models, and how they still predict masked words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from stabbench.engine.job import Perplexities, PerplexityPart, PlanePart, PlaneValues, Point
from stabbench.errors import StabbenchError
from stabbench.records.run import RunRecord
from stabbench.runner.cells import RecipeCell, ResolvedRecipes
from stabbench.runner.executors import Lost
from stabbench.runner.progress import Progress
from stabbench.runner.resources import Resources
from stabbench.runner.scheduler import Scheduler

# Points of one job: enough that the loading of the model does not count.
POINTS = 200
# On a GPU, where nothing else limits it.
MOST_TOGETHER = 40


def plane(
    resolved: ResolvedRecipes,
    resources: Resources,
    start: tuple[RecipeCell, RunRecord],
    weights: tuple[Path, Path],
    points: Sequence[Point],
    *,
    gradients: bool,
    examples: int,
    progress: Progress,
) -> PlaneValues:
    """The losses, and gradient norms, at points of the plane through a run's start and two trained models.

    Args:
        resolved: The plan of the run.
        resources: How to do it.
        start: The run whose start is the plane's origin, and its cell.
        weights: The files of the two models' weights.
        points: In multiples of the ways to the two.
        gradients: Whether gradient norms are asked for.
        examples: The number of training examples.
        progress: Told what the user should know.

    Raises:
        StabbenchError: The weights cannot be read, or not even one point fits into the memory.
    """
    cell, record = start
    first, second = weights
    with Scheduler(resolved, resources, resolved.cells, progress) as scheduler:
        scheduler.check_model()
        most = resources.stack or scheduler.most(cell) or MOST_TOGETHER
        job = scheduler.job(cell, [record.seeds])
        parts = [
            PlanePart(job, first, second, tuple(points[begin : begin + POINTS]), gradients, examples, most)
            for begin in range(0, len(points), POINTS)
        ]
        found: dict[Point, tuple[float, float]] = {}
        for values in scheduler.planes(parts, _fewer_together):
            if isinstance(values, Lost):
                raise StabbenchError(f"the surface cannot be computed: {values.reason}", "free some memory")
            found |= dict(zip(values.points, zip(values.losses, values.norms, strict=True), strict=True))
    return PlaneValues(tuple(points), *zip(*(found[point] for point in points), strict=True))


def perplexities(
    resolved: ResolvedRecipes, resources: Resources, weights: Sequence[Path], texts: Sequence[str], progress: Progress
) -> list[Perplexities]:
    """How each of the weights predicts masked words, by the number of blocks that are put back to pretrained.

    Raises:
        StabbenchError: The model does not predict masked words, or weights cannot be read.
    """
    with Scheduler(resolved, resources, resolved.cells, progress) as scheduler:
        job = scheduler.job(resolved.cells[0], resolved.cells[0].seeds[:1])
        found: dict[Path, Perplexities] = {}
        for each in scheduler.perplexities([PerplexityPart(job, path, tuple(texts)) for path in weights]):
            if isinstance(each, Lost):
                raise StabbenchError(f"the perplexity cannot be computed: {each.reason}", "free some memory")
            found[each.weights] = each
    return [found[path] for path in weights]


def _fewer_together(lost: Lost[PlanePart]) -> list[PlanePart]:
    """Half as many, where it was more than one."""
    half = lost.item.stack // 2
    return [dataclasses.replace(lost.item, stack=half)] if half else []
