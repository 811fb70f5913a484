"""The training loop: one recipe, one task, a group of seeds in lockstep. One seed alone is a group of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from stabbench.engine.inputs import Inputs
from stabbench.engine.models import SeedModel
from stabbench.engine.stages import Stages
from stabbench.errors import RecipeError
from stabbench.models.layout import Layout
from stabbench.recipes import Recipe, check_fit
from stabbench.seeds import Seeds

# Gradient norms are kept at about this many steps of a run, evenly spread.
PROBES = 20


@dataclass(frozen=True)
class Trained:
    """What training a group gives, on the CPU.

    Attributes:
        losses: Training loss of every step, ``[steps, seeds]``.
        probe_steps: The steps (from 1) whose gradient norms were kept.
        gradient_norms: Norm by part of the model, before clipping, ``[probes, seeds]`` each.
    """

    losses: Tensor
    probe_steps: list[int]
    gradient_norms: dict[str, Tensor]


def train(
    recipe: Recipe,
    model: SeedModel,
    layout: Layout,
    data: Inputs,
    seeds: Sequence[Seeds],
    *,
    total_steps: int,
    steps: int,
    lr_multiplier: float = 1.0,
    on_step: Callable[[int], None] = lambda _: None,
) -> Trained:
    """Fine-tune ``model`` in place.

    Args:
        recipe: With its model's defaults filled in (:meth:`Recipe.resolved`).
        model: The seeds' models, as pretrained.
        layout: What its parameters are.
        data: The training examples.
        seeds: One entry a seed of ``model``.
        total_steps: The number of updates of a whole training.
        steps: Stop after so many of them.
        lr_multiplier: On the recipe's learning rate.
        on_step: Called after every step with the number of steps made.
    """
    check_fit(recipe, layout, total_steps)
    device = data.labels.device
    peak_lr = recipe.family_value("lr") * lr_multiplier
    stages = Stages(recipe, model, layout, seeds, device, peak_lr)
    stage_steps = total_steps // stages.number
    steps_per_epoch = math.ceil(len(data) / recipe.batch_size)
    probe_every = max(1, steps // PROBES)
    losses: list[Tensor] = []
    probes: list[Tensor] = []
    probe_steps: list[int] = []
    model.train(True)
    for step in range(steps):
        number, step_of_stage = divmod(step, stage_steps)
        if step_of_stage == 0:
            stages.enter(number)
        position = step_of_stage % steps_per_epoch
        if position == 0:
            permutations = stages.order.permutations(len(data))
        index = permutations[:, position * recipe.batch_size : (position + 1) * recipe.batch_size]
        batch = data.rows(index)
        logits = model.logits(batch.tokens, stages.mixed_weights(), batch.real, stages.dropout)
        loss = seed_losses(logits, batch.labels)
        # Each seed's loss has only that seed's parameters behind it, so the sum's gradient is every seed's own.
        loss.sum().backward()
        with torch.no_grad():
            norms = clip_gradients_(model, recipe)
            factor = recipe.schedule(step_of_stage, stage_steps)
            for group in stages.optimizer.param_groups:
                group["lr"] = peak_lr * factor * group["lr_factor"]
            stages.optimizer.step()
            stages.optimizer.zero_grad()
        losses.append(loss.detach())
        if step % probe_every == 0 or step == steps - 1:
            probe_steps.append(step + 1)
            probes.append(norms)
        on_step(step + 1)
    by_part = _norms_by_part(torch.stack(probes).cpu(), list(model.parameters), layout)
    return Trained(torch.stack(losses).cpu(), probe_steps, by_part)


def seed_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Each seed's mean loss ``[seeds]``: cross-entropy, or squared error for a head with one output.

    Args:
        logits: ``[seeds, batch, outputs]``.
        labels: ``[seeds, batch]``.
    """
    if labels.dtype == torch.int64:
        each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    else:
        each = (logits.flatten() - labels.flatten()).square()
    return each.view(labels.shape).mean(1)


def clip_gradients_(model: SeedModel, recipe: Recipe) -> Tensor:
    """Scale every component's gradient as the recipe says; returns the norms before, ``[seeds, components]``."""
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters.values()]
    norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients], dim=1)
    scales = recipe.gradient_scales(norms)
    if scales.shape != norms.shape:
        shapes = f"{list(norms.shape)} to {list(scales.shape)}"
        raise RecipeError(f"recipe {recipe.name!r}: gradient_scales changes the shape {shapes}")
    columns = [s.view(-1, *[1] * (g.dim() - 1)) for s, g in zip(scales.unbind(1), gradients, strict=True)]
    torch._foreach_mul_(gradients, columns)
    return norms


def _norms_by_part(norms: Tensor, names: list[str], layout: Layout) -> dict[str, Tensor]:
    """Component norms ``[probes, seeds, components]`` as one norm a part of the model, ``[probes, seeds]`` each."""
    parts = {info.name: info.part for info in layout.parameters}
    columns: dict[str, list[int]] = {part: [] for part in layout.parts}
    for i, name in enumerate(names):
        columns[parts[name]].append(i)
    return {part: norms[..., chosen].square().sum(-1).sqrt() for part, chosen in columns.items()}
