"""Weight decay towards the pretrained weights.

Chelba and Acero 2004, Daume 2007; Lee et al. 2020; Zhang et al. 2021, "Revisiting Few-sample BERT Fine-tuning",
section 7 and appendix H.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import ParameterGroup

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class PretrainedWeightDecay(Recipe):
    """Bias correction, and every update subtracts ``lr * weight_decay * (w - pretrained w)``.

    What starts anew has no pretrained value and decays towards 0. The paper tries 1e-3, 1e-2, 1e-1 and 1.
    """

    name: ClassVar[str] = "pretrained-weight-decay"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Zhang et al. 2021, section 7"

    bias_correction = True
    weight_decay = 0.1

    def groups(self, layout: Layout) -> list[ParameterGroup]:
        new = self.fresh(layout) | {p.name for p in layout.parameters if p.missing}
        split: list[ParameterGroup] = []
        for group in super().groups(layout):
            old = [name for name in group.names if name not in new]
            anew = [name for name in group.names if name in new]
            split += [dataclasses.replace(group, names=old, to_pretrained=True), dataclasses.replace(group, names=anew)]
        return split
