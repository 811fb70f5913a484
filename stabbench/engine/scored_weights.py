"""The weights that are scored, where they are not those that are trained: an optimizer's average, or the recipe's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from stabbench.engine.stacking.models import SeedModel
from stabbench.optim import SeedOptimizer


class Averages:
    """The running average of the weights that are trained.

    Args:
        model: The seeds' models.
        shares: Of the present weights in it, after each step; empty without an average.

    Attributes:
        values: It, by the parameters' names; empty until a share is above 0.
    """

    def __init__(self, model: SeedModel, shares: Sequence[float]) -> None:
        self._model, self._shares = model, shares
        self.values: dict[str, Tensor] = {}

    def add(self, step: int) -> None:
        """Add the weights after update ``step``, from 1."""
        share = self._shares[step - 1] if self._shares else 0.0
        if share == 0:
            return
        for name, parameter in self._model.parameters.items():
            if not parameter.requires_grad:
                continue
            if name in self.values:
                self.values[name].mul_(1 - share).add_(parameter.detach(), alpha=share)
            else:
                self.values[name] = parameter.detach().clone()


@contextlib.contextmanager
def scored_weights(
    model: SeedModel, optimizer: torch.optim.Optimizer, averages: Mapping[str, Tensor]
) -> Iterator[None]:
    """While active, the model has the weights that are scored."""
    values = dict(averages)
    if isinstance(optimizer, SeedOptimizer) and optimizer.scored:
        states = {name: optimizer.state[p] for name, p in model.parameters.items() if p in optimizer.state}
        values = {name: state[optimizer.scored] for name, state in states.items()} | values
    trained = {name: model.parameters[name].detach().clone() for name in values}
    with torch.no_grad():
        for name, scored in values.items():
            model.parameters[name].copy_(scored)
        try:
            yield
        finally:
            for name, before in trained.items():
                model.parameters[name].copy_(before)
