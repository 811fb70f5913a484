"""Layer-wise learning-rate decay: the lower a block, the smaller its steps.

Howard and Ruder 2018, "Universal Language Model Fine-tuning for Text Classification"; Zhang et al. 2021, "Revisiting
Few-sample BERT Fine-tuning", section 7 and appendix H.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import ParameterGroup
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class Llrd(Recipe):
    """Bias correction; head and pooler learn at ``lr``, every block below at ``lr_decay`` times the one above it.

    The embeddings come last. The paper tries lr 2e-5, 5e-5 and 1e-4 with lr_decay .9 and .95. Its code has no weight
    decay on head and pooler; here they have it as every other weight has.
    """

    name: ClassVar[str] = "llrd"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Howard and Ruder 2018; Zhang et al. 2021, section 7"

    bias_correction = True
    lr_decay: float | None = parameter(
        None, "factor on the rate from one block to the next below; none: the family's", above=0, below=1
    )

    def groups(self, layout: Layout) -> list[ParameterGroup]:
        layout.require_structure(self.name)
        decay = self.family_value("lr_decay")
        below = {"embeddings": layout.depth + 1} | {f"block {i}": layout.depth - i for i in range(layout.depth)}
        parts = {p.name: p.part for p in layout.parameters}
        scaled: list[ParameterGroup] = []
        for group in super().groups(layout):
            for part in layout.parts:
                names = [name for name in group.names if parts[name] == part]
                scaled.append(dataclasses.replace(group, names=names, lr_factor=decay ** below.get(part, 0)))
        return scaled
