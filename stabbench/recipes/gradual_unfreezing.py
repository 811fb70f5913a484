"""Gradual unfreezing: train the top block first, then the top two, and so on.

Howard and Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", as studied by Yang and Ma 2022,
"Improving Stability of Fine-Tuning Pretrained Language Models via Component-Wise Gradient Norm Clipping", section 2
and appendix A, Algorithm 1.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar, Self

from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Stage
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stabbench.models.families import Defaults
    from stabbench.models.layout import Layout


class GradualUnfreezing(Recipe):
    """Bias correction in stages: stage k trains head, pooler and the top k + 1 blocks, three epochs each.

    What was unfrozen stays unfrozen and goes on from where it is; each stage has an optimizer and a schedule of its
    own. The embeddings join in the last stage, which trains everything. ``steps`` and
    ``evaluations`` are for each stage.
    """

    name: ClassVar[str] = "gradual-unfreezing"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Howard and Ruder 2018; Yang and Ma 2022, section 2"
    restart: ClassVar[bool] = False

    bias_correction = True
    stages: int | None = parameter(None, "how many; none: one for each of the model's blocks", least=1)

    def resolved(self, defaults: Defaults, depth: int | None = None) -> Self:
        full = super().resolved(defaults, depth)
        if self.stages is None and depth is None:
            raise RecipeError(
                f"recipe {self.name!r} needs to know a model's blocks, and this one does not say how many it has",
                "use another model; or, where config.json of a known family leaves it out, give stages=12, say",
            )
        return full if self.stages is not None else dataclasses.replace(full, stages=depth)

    def total_steps(self, train_size: int) -> int:
        return super().total_steps(train_size) * (self.stages or 1)

    def staging(self, layout: Layout) -> Sequence[Stage]:
        layout.require_structure(self.name)
        number = self.stages or layout.depth
        if number > layout.depth:
            raise RecipeError(f"recipe {self.name!r}: {number} stages, but the model has {layout.depth} blocks")
        found = [
            # With fewer stages than blocks, each unfreezes several.
            Stage(self._top(layout, round(layout.depth * (k + 1) / number)), restart=self.restart)
            for k in range(number - 1)
        ]
        return [*found, Stage(frozenset(p.name for p in layout.parameters), restart=self.restart)]

    @staticmethod
    def _top(layout: Layout, blocks: int) -> frozenset[str]:
        return layout.names(["head", "pooler", *(f"block {layout.depth - 1 - i}" for i in range(blocks))])


class GradualUnfreezingRestart(GradualUnfreezing):
    """As gradual-unfreezing, but every stage starts again from the pretrained weights.

    So the last stage is a full fine-tuning, the same as with bias-correction; what the stages before it reach is in a
    run's evaluations.
    """

    name: ClassVar[str] = "gradual-unfreezing-restart"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Yang and Ma 2022, section 2"
    restart: ClassVar[bool] = True
