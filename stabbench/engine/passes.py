"""The forward passes of a step and the loss that they give, a part of the batch after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stabbench.engine.inputs import Batch, Inputs
from stabbench.engine.stacking.models import SeedModel
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.engine.stages import Stages
from stabbench.recipes import FurtherPass, Recipe, call_hooks, call_step_hooks


class Passes:
    """Makes a step's gradients.

    Args:
        recipe: With its model's defaults filled in.
        model: The seeds' models.
        stages: Their streams and replaced weights.
    """

    def __init__(self, recipe: Recipe, model: SeedModel, stages: Stages) -> None:
        self._recipe, self._model, self._stages = recipe, model, stages
        self._further = call_hooks.further_passes(recipe)

    def backward(self, data: Inputs, index: Tensor, *, values: bool) -> tuple[Tensor, Tensor]:
        """Add every seed's gradients of the examples at ``index`` ``[seeds, examples]``, ``batch_size`` at a time.

        Args:
            data: The training examples.
            index: Which of them.
            values: Whether to check the values of a user's loss.

        Returns:
            The losses ``[seeds]``, and the logits ``[seeds, examples, outputs]``, both detached.
        """
        losses, logits = [], []
        for part in index.split(self._recipe.batch_size, dim=1):
            given, loss = self._forward(data.rows(part), values=values)
            if part.shape[1] != index.shape[1]:
                loss = loss * (part.shape[1] / index.shape[1])
            # Each seed's loss has only that seed's parameters behind it, so the sum's gradient is every seed's own.
            loss.sum().backward()
            losses.append(loss.detach())
            logits.append(given.detach())
        return torch.stack(losses).sum(0), torch.cat(logits, dim=1)

    def _forward(self, batch: Batch, *, values: bool) -> tuple[Tensor, Tensor]:
        weights, streams = self._stages.forward_weights(), self._stages.dropout
        logits = self._model.logits(batch.tokens, weights, batch.real, streams)
        further = [
            self._model.logits(batch.tokens, weights, batch.real, streams, noise_of(each, streams))
            for each in self._further
        ]
        return logits, call_step_hooks.loss(self._recipe, logits, batch.labels, further, values=values)


def noise_of(asked: FurtherPass, streams: SeedStreams) -> Callable[[Sequence[int]], Tensor] | None:
    """What draws a further pass's noise, ``[seeds, *shape]``; None where it has none."""
    if asked.noise == "none":
        return None
    if asked.noise == "normal":
        return lambda shape: streams.normal(shape, asked.size)
    return lambda shape: (streams.uniform(shape) * 2 - 1) * asked.size
