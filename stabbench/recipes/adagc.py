"""AdaGC: each component's gradient is clipped by the running average of its own norm.

Wang, Li, Chen, Zeng, Yang, Yu, Ma and Shen 2025, "AdaGC: Improving Training Stability for Large Language Model
Pretraining" (arXiv 2502.11034), section 3 and Algorithm 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor


class AdaGC(Recipe):
    """Bias correction, and a threshold on each component's gradient norm that follows what the norm was before.

    While the rate warms up, the whole gradient is clipped by ``max_grad_norm``, and a component's average is the least
    clipped norm that it had. From then on its gradient is clipped to ``relative`` times the average, and the average
    takes up the clipped norm. The paper warms up for 100 of some ten thousand steps, which may be all of a
    fine-tuning: here it is the share ``warmup``, at least one step.
    """

    name: ClassVar[str] = "adagc"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Wang et al. 2025, section 3, Algorithm 1"

    bias_correction = True
    relative: float = parameter(1.05, "threshold, in multiples of the average norm", above=0)
    beta: float = parameter(0.98, "decay rate of the average of the clipped norms", least=0, below=1)

    def adaptive_scales(self, norms: Tensor, memory: Tensor, step: int, total_steps: int) -> tuple[Tensor, Tensor]:
        from stabbench.optim import component_scales

        if step <= max(1, round(self.warmup * total_steps)):
            scales = self.gradient_scales(norms)
            return scales, norms * scales if step == 1 else memory.minimum(norms * scales)
        scales = component_scales(norms, self.relative * memory)
        return scales, self.beta * memory + (1 - self.beta) * norms * scales
