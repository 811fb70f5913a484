"""NoisyTune: a little noise on the pretrained weights before they are fine-tuned.

Wu, Wu, Qi and Huang 2022, "NoisyTune: A Little Noise Can Help You Finetune Pretrained Language Models Better",
section 3, eq. 1, and the paper's listing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class NoisyTune(Recipe):
    """Bias correction, from pretrained values plus ``U(-noise/2, noise/2)`` times their standard deviation.

    The standard deviation is that of each parameter tensor. What starts anew gets no noise. The paper tries 0.1 to 0.3
    and uses 0.15.
    """

    name: ClassVar[str] = "noisytune"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Wu et al. 2022, section 3"

    bias_correction = True
    noise: float = parameter(0.15, "width of the noise, in standard deviations of a parameter", least=0)

    def start_noise(self, layout: Layout) -> Mapping[str, float]:
        new = self.fresh(layout)
        return {p.name: self.noise for p in layout.parameters if p.name not in new and not p.missing}
