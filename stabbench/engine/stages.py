"""The stages of a training: what each trains, from which values, with which streams and optimizer.

Almost every recipe has one stage, which trains everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stabbench.engine.models import SeedModel
from stabbench.engine.streams import SeedStreams
from stabbench.models.layout import Layout
from stabbench.optim import AdamW
from stabbench.recipes import ParameterGroup, Recipe
from stabbench.seeds import Seeds


class Stages:
    """Takes a group of seeds from one stage to the next.

    Args:
        recipe: With its model's defaults filled in.
        model: As pretrained; what starts anew is drawn here.
        layout: What its parameters are.
        seeds: The group.
        device: Where the model is.
        lr: Peak learning rate.

    Attributes:
        dropout: The seeds' streams of masks.
        order: The seeds' streams of data order.
        optimizer: Of the current stage.
    """

    dropout: SeedStreams
    order: SeedStreams
    optimizer: AdamW

    def __init__(
        self,
        recipe: Recipe,
        model: SeedModel,
        layout: Layout,
        seeds: Sequence[Seeds],
        device: torch.device,
        lr: float,
    ) -> None:
        self._recipe, self._model, self._seeds = recipe, model, seeds
        self._device, self._lr = device, lr
        self._stages = recipe.staging(layout)
        self._groups = recipe.groups(layout)
        self.number = len(self._stages)
        missing = frozenset(p.name for p in layout.parameters if p.missing)
        streams = SeedStreams(seeds, "initialisation", torch.device("cpu"))
        model.initialise(recipe.fresh(layout) | missing, layout, streams)
        self._before = {n: model.parameters[n].detach().clone() for n in self._remembered()}

    def enter(self, number: int) -> None:
        """Start a stage."""
        stage = self._stages[number]
        if number == 0 or stage.restart:
            self.dropout = SeedStreams(self._seeds, "dropout", self._device)
            self.order = SeedStreams(self._seeds, "order", torch.device("cpu"))
        with torch.no_grad():
            for name, parameter in self._model.parameters.items():
                parameter.requires_grad_(name in stage.trained)
                if number > 0 and stage.restart:
                    parameter.copy_(self._before[name])
        groups = [self._group(group, [n for n in group.names if n in stage.trained]) for group in self._groups]
        self.optimizer = AdamW(
            [group for group in groups if group["params"]],
            lr=self._lr,
            betas=(self._recipe.beta1, self._recipe.family_value("beta2")),
            eps=self._recipe.eps,
            bias_correction=self._recipe.bias_correction,
        )

    def mixed_weights(self) -> dict[str, Tensor]:
        """What the forward pass uses in place of some weights, where the recipe changes them."""
        if not self._mixes:
            return {}
        return {
            name: self._recipe.forward_weight(self._model.parameters[name], self._before[name], self.dropout.bernoulli)
            for name in self._model.linear_weights
        }

    @property
    def _mixes(self) -> bool:
        return type(self._recipe).forward_weight is not Recipe.forward_weight

    def _remembered(self) -> set[str]:
        """Names of the parameters whose values before training are needed later."""
        if any(stage.restart for stage in self._stages[1:]):
            return set(self._model.parameters)
        anchored = {name for group in self._groups if group.to_pretrained for name in group.names}
        return anchored | set(self._model.linear_weights if self._mixes else ())

    def _group(self, group: ParameterGroup, names: Sequence[str]) -> dict[str, object]:
        return {
            "params": [self._model.parameters[name] for name in names],
            "weight_decay": group.weight_decay,
            "lr_factor": group.lr_factor,
            "anchors": [self._before[name] for name in names] if group.to_pretrained else None,
        }
