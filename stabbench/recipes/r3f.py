"""R3F: predictions must not change when a little noise is added to the token embeddings.

Aghajanyan, Shrivastava, Gupta, Goyal, Zettlemoyer and Gupta 2021, "Better Fine-Tuning by Reducing Representational
Collapse", section 3, eq. 1 and Algorithm 1, and the released code (fairseq, examples/rxf).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import FurtherPass
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor


class R3F(Recipe):
    """Bias correction, and ``consistency`` times ``KL(p || q) + KL(q || p)`` of predictions without and with noise.

    Noise is added to what the model looks up for its tokens, in a second forward pass with masks of dropout of its own,
    as in the released code. The divergence is summed over classes and averaged over the batch. A regression has none:
    there the recipe is bias-correction with a second pass. The paper tries 0.1, 0.5, 1 and 5 for ``consistency`` and
    noise of 1e-5, normal or uniform.
    """

    name: ClassVar[str] = "r3f"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Aghajanyan et al. 2021, section 3"

    bias_correction = True
    consistency: float = parameter(1.0, "weight of the divergence (the paper's lambda)", least=0)
    noise: Literal["normal", "uniform"] = parameter("normal", "distribution of the noise")
    size: float = parameter(1e-5, "standard deviation of the normal, bound of the uniform noise", least=0)

    def further_passes(self) -> Sequence[FurtherPass]:
        return [FurtherPass(self.noise, self.size)]

    def loss(self, logits: Tensor, labels: Tensor, further: Sequence[Tensor]) -> Tensor:
        from stabbench.optim import seed_losses, symmetric_divergences

        losses = seed_losses(logits, labels)
        if labels.is_floating_point() and labels.dim() < logits.dim():
            return losses
        several = labels.dim() == logits.dim()
        return losses + self.consistency * symmetric_divergences(further[0], logits, several=several)
