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
from stabbench.engine.streams import SeededDropout, SeedStreams
from stabbench.errors import RecipeError
from stabbench.models.layout import Layout
from stabbench.optim import AdamW
from stabbench.recipes import Recipe, check_fit, planned_steps
from stabbench.seeds import Seeds

# Gradient norms are kept at about this many steps of a run, evenly spread.
PROBES = 20
EVALUATION_BATCH = 100


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
    lr_multiplier: float = 1.0,
    max_steps: int | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> Trained:
    """Fine-tune ``model`` in place.

    Args:
        recipe: With its family's defaults filled in (:meth:`Recipe.resolved`).
        model: The seeds' models, as pretrained.
        layout: What its parameters are.
        data: The training examples.
        seeds: One entry a seed of ``model``.
        lr_multiplier: On the recipe's learning rate.
        max_steps: Stop there; the schedule is still that of the whole training.
        on_step: Called after every step.
    """
    check_fit(recipe, layout)
    device = data.labels.device
    cpu = torch.device("cpu")
    missing = frozenset(p.name for p in layout.parameters if p.missing)
    model.initialise(recipe.fresh(layout) | missing, layout, SeedStreams(seeds, "initialisation", cpu))
    dropout = SeedStreams(seeds, "dropout", device)
    order = SeedStreams(seeds, "order", cpu)

    peak_lr = recipe.lr * lr_multiplier
    optimizer = _optimizer(recipe, model, layout, peak_lr)
    mixes_weights = type(recipe).forward_weight is not Recipe.forward_weight
    pretrained = {n: model.parameters[n].detach().clone() for n in model.linear_weights} if mixes_weights else {}

    total_steps = planned_steps(recipe, len(data), None)
    steps = planned_steps(recipe, len(data), max_steps)
    steps_per_epoch = math.ceil(len(data) / recipe.batch_size)
    probe_every = max(1, steps // PROBES)
    losses: list[Tensor] = []
    probes: list[Tensor] = []
    probe_steps: list[int] = []
    model.train(True)
    for step in range(steps):
        position = step % steps_per_epoch
        if position == 0:
            permutations = order.permutations(len(data)).to(device)
        index = permutations[:, position * recipe.batch_size : (position + 1) * recipe.batch_size]
        tokens, labels = data.rows(index)
        with SeededDropout(dropout):
            weights = {
                name: recipe.forward_weight(model.parameters[name], value, dropout.bernoulli)
                for name, value in pretrained.items()
            }
            loss = seed_losses(model.logits(tokens, weights), labels)
        # Each seed's loss has only that seed's parameters behind it, so the sum's gradient is every seed's own.
        loss.sum().backward()
        with torch.no_grad():
            norms = clip_gradients_(model, recipe)
            factor = recipe.schedule(step, total_steps)
            for group in optimizer.param_groups:
                group["lr"] = peak_lr * factor * group["lr_factor"]
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.detach())
        if step % probe_every == 0 or step == steps - 1:
            probe_steps.append(step + 1)
            probes.append(norms)
        on_step()
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
    columns = [scales[:, i].view(-1, *[1] * (g.dim() - 1)) for i, g in enumerate(gradients)]
    torch._foreach_mul_(gradients, columns)
    return norms


@torch.no_grad()
def predict(model: SeedModel, data: Inputs, seeds: int) -> Tensor:
    """Predictions ``[seeds, examples]`` without dropout: class numbers, or the single output; NaN if not finite."""
    model.train(False)
    parts: list[Tensor] = []
    # Even batches: a last one of a single row would be multiplied by other kernels when there is a single seed.
    batches = math.ceil(len(data) / EVALUATION_BATCH)
    for rows in torch.arange(len(data), device=data.labels.device).tensor_split(batches):
        tokens, _ = data.rows(rows.expand(seeds, -1))
        logits = model.logits(tokens, {})
        best = logits.argmax(-1).float() if logits.shape[-1] > 1 else logits.squeeze(-1)
        parts.append(best.masked_fill(~logits.isfinite().all(-1), math.nan))
    return torch.cat(parts, dim=1).cpu()


def _optimizer(recipe: Recipe, model: SeedModel, layout: Layout, lr: float) -> AdamW:
    assert recipe.beta2 is not None, "resolve the recipe first"
    groups = [
        {
            "params": [model.parameters[name] for name in group.names],
            "weight_decay": group.weight_decay,
            "lr_factor": group.lr_factor,
        }
        for group in recipe.groups(layout)
        if group.names
    ]
    return AdamW(
        groups,
        lr=lr,
        betas=(recipe.beta1, recipe.beta2),
        eps=recipe.eps,
        bias_correction=recipe.bias_correction,
    )


def _norms_by_part(norms: Tensor, names: list[str], layout: Layout) -> dict[str, Tensor]:
    """Component norms ``[probes, seeds, components]`` as one norm a part of the model, ``[probes, seeds]`` each."""
    parts = {info.name: info.part for info in layout.parameters}
    columns: dict[str, list[int]] = {part: [] for part in layout.parts}
    for i, name in enumerate(names):
        columns[parts[name]].append(i)
    return {part: norms[..., chosen].square().sum(-1).sqrt() for part, chosen in columns.items()}
