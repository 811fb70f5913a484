"""Re-init: forget the top of the pretrained encoder.

Zhang, Wu, Katiyar, Weinberger and Artzi 2021, "Revisiting Few-sample BERT Fine-tuning", section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class Reinit(Recipe):
    """Bias correction, and the pooler and the top blocks start from N(0, 0.02^2) instead of pretrained values.

    The paper tries one to six of BERT-large's 24 blocks. ``blocks`` counts blocks; where it is none, five in 24 are
    re-initialised (rounded, at least one). The layers of ALBERT share one block: there the whole encoder starts anew.
    """

    name: ClassVar[str] = "reinit"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Zhang et al. 2021, section 5"

    bias_correction = True
    blocks: int | None = parameter(None, "top blocks to re-initialise; none: five in 24 of the model's depth", least=0)

    def fresh(self, layout: Layout) -> frozenset[str]:
        layout.require_structure(self.name)
        blocks = max(1, round(layout.depth * 5 / 24)) if self.blocks is None else self.blocks
        if blocks > layout.depth:
            raise RecipeError(
                f"recipe {self.name!r}: blocks={blocks}, but the model has {layout.depth}",
                f"give at most {layout.depth}",
            )
        top = [f"block {i}" for i in range(layout.depth - blocks, layout.depth)]
        return layout.names(["head", "pooler", *top])
