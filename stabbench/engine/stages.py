"""The stages of a training: what each trains, from which values, with which streams and optimizer.

Almost every recipe has one stage, which trains everything.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stabbench.engine.stacking.models import SeedModel
from stabbench.engine.stacking.streams import SeedStreams
from stabbench.models.layout import Layout
from stabbench.recipes import ParameterGroup, Recipe, call_hooks, call_step_hooks
from stabbench.recipes._asking import drawing_nothing
from stabbench.records.seeds import Seeds


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
        drawn: Names of the parameters whose start every seed drew, wholly or in part.
    """

    dropout: SeedStreams
    order: SeedStreams
    optimizer: torch.optim.Optimizer

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
        self._stages = call_hooks.staging(recipe, layout)
        self._groups = call_hooks.groups(recipe, layout)
        self._mixed = False
        self.number = len(self._stages)
        missing = frozenset(p.name for p in layout.parameters if p.missing)
        streams = SeedStreams(seeds, "initialisation", torch.device("cpu"))
        self.drawn = frozenset(call_hooks.fresh(recipe, layout)) | missing
        model.initialise(self.drawn, layout, streams)
        noise = call_hooks.start_noise(recipe, layout)
        model.perturb(noise, layout, streams)
        self.drawn |= noise.keys()
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
        self.optimizer = call_hooks.make_optimizer(self._recipe, [group for group in groups if group["params"]])

    def lr_factor(self, number: int) -> float:
        """What a stage multiplies the scheduled learning rate by."""
        return self._stages[number].lr_factor

    def forward_weights(self) -> dict[str, Tensor]:
        """Replacements for some weights in the forward pass, where the recipe has the hook ``forward_weight``."""
        if not self._mixes:
            return {}
        first, self._mixed = not self._mixed, True
        with drawing_nothing(self._recipe, "forward_weight"):
            return {name: self._forward_weight(name, first) for name in self._model.linear_weights}

    def _forward_weight(self, name: str, first: bool) -> Tensor:
        """The hook sees ``[seeds, out, in]``, however the layer keeps its weight."""
        again = self.dropout.restorer() if first else None
        weight, before = self._model.parameters[name], self._before[name]
        if name not in self._model.transposed:
            return call_step_hooks.forward_weight(self._recipe, weight, before, self.dropout.bernoulli, again)
        return call_step_hooks.forward_weight(self._recipe, weight.mT, before.mT, self.dropout.bernoulli, again).mT

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
            "lr": self._lr,
            "weight_decay": group.weight_decay,
            "lr_factor": group.lr_factor,
            "anchors": [self._before[name] for name in names] if group.to_pretrained else None,
        }
