"""Loss and gradient norm in the plane through a run's start and two trained models.

Mosbach et al. 2021, section 5.1 and appendix: f(a, b) = L(w + a (w1 - w) + b (w2 - w)) for all parameters, the head
among them, on some training examples, without dropout. Points are evaluated as a stack, as seeds are trained.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from stabbench.code.users_code import users_code
from stabbench.engine.inputs import Inputs
from stabbench.engine.job import PlanePart, PlaneValues, Point
from stabbench.engine.kept_weights import of_another_model, read_weights
from stabbench.engine.run import memory_errors, settings
from stabbench.engine.setup import Setup
from stabbench.engine.stacking.models import SeedModel
from stabbench.optim import seed_losses
from stabbench.tasks.task import Task

# Examples of a forward pass.
BATCH = 32
# Of the training set the same ones are drawn for every surface.
DRAWN_BY = 0


def plane_values(part: PlanePart, task: Task) -> PlaneValues:
    """The losses and gradient norms at some points.

    Raises:
        StabbenchError: The job cannot be done as planned, or weights cannot be read.
        MemoryError: The stack does not fit into the memory.
    """
    number = part.stack if part.job.stacked else 1
    job = dataclasses.replace(part.job, seeds=part.job.seeds[:1] * number, detail="brief")
    with users_code(), settings(job), memory_errors():
        setup = Setup(job, task)
        # What starts anew in that run, its head for one, is drawn here.
        with setup.training():
            model = setup.model
            start = {name: values[0].detach().clone() for name, values in model.parameters.items()}
        ways = [_way(start, path) for path in (part.first, part.second)]
        examples = setup.training_examples(part.examples, DRAWN_BY)
        model.train(False)
        found: list[tuple[float, float]] = []
        for begin in range(0, len(part.points), number):
            points = part.points[begin : begin + number]
            _put(model, start, ways, [*points, *points[-1:] * (number - len(points))])
            losses, norms = _measured(model, examples, number, gradients=part.gradients)
            found += list(zip(losses.tolist(), norms.tolist(), strict=True))[: len(points)]
    return PlaneValues(part.points, tuple(loss for loss, _ in found), tuple(norm for _, norm in found))


def _way(start: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """From the start to the weights in a file.

    Raises:
        StoreError: They cannot be read, or are of another model.
    """
    weights = read_weights(path, str(next(iter(start.values())).device))
    if {name: values.shape for name, values in weights.items()} != {name: v.shape for name, v in start.items()}:
        raise of_another_model(path)
    return {name: weights[name] - values for name, values in start.items()}


@torch.no_grad()
def _put(
    model: SeedModel, start: Mapping[str, Tensor], ways: Sequence[Mapping[str, Tensor]], points: Sequence[Point]
) -> None:
    """Each seed of the model to one of the points."""
    for name, parameter in model.parameters.items():
        parameter.copy_(start[name])
        for steps, way in zip(zip(*points, strict=True), ways, strict=True):
            factors = torch.tensor(steps, dtype=parameter.dtype, device=parameter.device)
            parameter.add_(factors.view(-1, *[1] * way[name].dim()) * way[name])


def _measured(model: SeedModel, examples: Inputs, number: int, *, gradients: bool) -> tuple[Tensor, Tensor]:
    """Loss and gradient norm of every seed; NaN for a norm that is not asked for."""
    total = torch.zeros(number)
    for parameter in model.parameters.values():
        parameter.grad = None
        parameter.requires_grad_(gradients)
    for rows in torch.arange(len(examples)).split(BATCH):
        batch = examples.rows(rows.expand(number, -1))
        with torch.set_grad_enabled(gradients):
            losses = seed_losses(model.logits(batch.tokens, {}, batch.real), batch.labels) * len(rows) / len(examples)
        total += losses.detach().cpu()
        if gradients:
            losses.sum().backward()
    if not gradients:
        return total, torch.full((number,), math.nan)
    squares = [p.grad.flatten(1).square().sum(1) for p in model.parameters.values() if p.grad is not None]
    return total, torch.stack(squares).sum(0).sqrt().cpu()
