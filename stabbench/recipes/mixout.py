"""Mixout: in every training step a random part of each weight falls back to its pretrained value.

Lee, Cho and Kang 2020, "Mixout: Effective Regularization to Finetune Large-scale Pretrained Language Models".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor

    from stabbench.recipes._step_hooks import Bernoulli


class Mixout(Recipe):
    """Mixout on every Linear, in place of dropout, on top of Devlin's scheme (as Mosbach et al. compare it).

    ``mixout:bias_correction=true`` is the variant of Zhang et al. 2021, whose grid of p is .1 .3 .5 .7 .9. The new
    head has no pretrained value: as in the reference code, its own initial value stands in. On ALBERT the
    reference code draws a mask at every use of the shared block; here all uses in a step have the same one.
    """

    name: ClassVar[str] = "mixout"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Lee et al. 2020; Mosbach et al. 2021, Table 1; Zhang et al. 2021, section 7"

    dropout = 0.0
    p: float = parameter(0.7, "probability of falling back to the pretrained value", least=0, below=1)
    per: Literal["neuron", "parameter"] = parameter("neuron", "what one mask entry covers")

    def forward_weight(self, weight: Tensor, pretrained: Tensor, bernoulli: Bernoulli) -> Tensor:
        from stabbench.optim._mixout import mix

        rows, columns = weight.shape[-2:]
        keep = bernoulli(1 - self.p, (rows if self.per == "parameter" else 1, columns))
        return mix(weight, pretrained, keep, self.p)
