"""Component-wise gradient norm clipping.

Yang and Ma 2022, "Improving Stability of Fine-Tuning Pretrained Language Models via Component-Wise Gradient Norm
Clipping", sections 3-4 and appendix B.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor


class Cwgnc(Recipe):
    """Bias correction, 5 epochs, every component's gradient clipped to 0.05 before Adam's moments see it.

    A component is one parameter tensor; where an architecture fuses query, key and value into one tensor, that tensor
    is one component. Global clipping follows.
    """

    name: ClassVar[str] = "cwgnc"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Yang and Ma 2022, sections 3-4, appendix B"

    bias_correction = True
    epochs = 5.0
    clip: float = parameter(0.05, "threshold on each component's gradient norm", above=0)

    def gradient_scales(self, norms: Tensor) -> Tensor:
        from stabbench.optim import component_scales

        scales = component_scales(norms, self.clip)
        return scales * super().gradient_scales(norms * scales)
