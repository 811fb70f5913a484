"""From the gradients of a step to those that the optimizer gets: clipping, and masks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from stabbench.engine.stacking.models import SeedModel
from stabbench.engine.stages import Stages
from stabbench.models.layout import Layout
from stabbench.recipes import Recipe, call_step_hooks


class Gradients:
    """Changes a step's gradients as the recipe says.

    Args:
        recipe: With its model's defaults filled in.
        model: The seeds' models.
        layout: What their parameters are.
        masks: Of the parameters of which only some entries are trained, ``[seeds, ...]`` each.
        total_steps: Of the whole training.

    Attributes:
        memory: Of clipping that remembers, ``[seeds, components]``.
    """

    def __init__(
        self, recipe: Recipe, model: SeedModel, layout: Layout, masks: Mapping[str, Tensor], total_steps: int
    ) -> None:
        self._recipe, self._model, self._layout, self._masks = recipe, model, layout, masks
        self._total_steps = total_steps
        first = next(iter(model.parameters.values()))
        self.memory = torch.zeros(len(first), len(model.parameters), device=first.device)

    def change(self, step: int, stages: Stages, *, values: bool) -> tuple[Tensor, Tensor]:
        """Clip and mask the gradients of update ``step``, from 1.

        Returns the norms before, and the factors of clipping, ``[seeds, components]`` each.

        With ``values`` a user's recipe is asked twice and its values are checked, which waits for a GPU.
        """
        given = {name: p.grad for name, p in self._model.parameters.items() if p.grad is not None}
        nothing = torch.zeros(len(self.memory), device=self.memory.device)
        norms = torch.stack(
            [
                torch.linalg.vector_norm(given[name].flatten(1), dim=1) if name in given else nothing
                for name in self._model.parameters
            ],
            dim=1,
        )
        scales, self.memory = call_step_hooks.adaptive_scales(
            self._recipe, norms, self.memory, step, self._total_steps, values=values
        )
        columns = dict(zip(self._model.parameters, scales.unbind(1), strict=True))
        torch._foreach_mul_(
            list(given.values()), [columns[name].view(-1, *[1] * (g.dim() - 1)) for name, g in given.items()]
        )
        for name, mask in self._masks.items():
            if name in given:
                given[name].mul_(mask)
        if type(self._recipe).gradient is not Recipe.gradient:
            again = stages.dropout.restorer if values else None
            for info in self._layout.parameters:
                if info.name in given:
                    self._model.parameters[info.name].grad = call_step_hooks.gradient(
                        self._recipe, info, given[info.name], stages.dropout.bernoulli, again
                    )
        return norms, scales
