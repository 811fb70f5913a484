"""Label smoothing: a share of the target is spread evenly over all classes.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, "Rethinking the Inception Architecture for Computer Vision",
section 7; Mueller, Kornblith and Hinton 2019, "When Does Label Smoothing Help?".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from torch import Tensor


class LabelSmoothing(Recipe):
    """Bias correction, and a cross-entropy against targets ``(1 - smoothing) * one-hot + smoothing / classes``.

    Of several labels at once, each target moves towards one half. A regression has no classes and is refused.
    """

    name: ClassVar[str] = "label-smoothing"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Szegedy et al. 2016, section 7"

    bias_correction = True
    smoothing: float = parameter(0.1, "share of the target that is spread over all classes", least=0, below=1)

    def loss(self, logits: Tensor, labels: Tensor, further: Sequence[Tensor]) -> Tensor:  # noqa: ARG002
        from stabbench.optim import smoothed_losses

        if labels.is_floating_point() and labels.dim() < logits.dim():
            raise RecipeError(f"recipe {self.name!r}: a regression has no classes to smooth", "use another recipe")
        return smoothed_losses(logits, labels, self.smoothing)
