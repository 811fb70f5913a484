"""Freezing the bottom: the embeddings and the lower blocks keep their pretrained values.

Lee, Tang and Lin 2019, "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Stage
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class FreezeBottom(Recipe):
    """Bias correction; head, pooler and the blocks above the lowest ``blocks`` are trained, the rest is frozen.

    The paper finds that a fourth of the blocks reaches nine tenths of the quality. ALBERT's layers share one block:
    with it frozen, only pooler and head are trained.
    """

    name: ClassVar[str] = "freeze-bottom"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Lee et al. 2019"

    bias_correction = True
    blocks: int | None = parameter(None, "frozen blocks, from the lowest; none: half of the model's", least=0)

    def staging(self, layout: Layout) -> Sequence[Stage]:
        layout.require_structure(self.name)
        blocks = layout.depth // 2 if self.blocks is None else self.blocks
        if blocks > layout.depth:
            raise RecipeError(
                f"recipe {self.name!r}: blocks={blocks}, but the model has {layout.depth}",
                f"give at most {layout.depth}",
            )
        frozen = layout.names(["embeddings", *(f"block {i}" for i in range(blocks))])
        return [Stage(frozenset(p.name for p in layout.parameters) - frozen)]
