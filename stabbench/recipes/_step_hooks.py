"""The hooks of a recipe that work inside a step: on weights, logits and gradients. A recipe inherits them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stabbench.recipes._hook_types import FurtherPass

if TYPE_CHECKING:
    from torch import Tensor

    from stabbench.models.layout import ParameterInfo

    # Draws one mask of the given shape per seed, entries 1 with the given probability: [seeds, *shape].
    Bernoulli = Callable[[float, tuple[int, ...]], Tensor]


class StepHooks:
    """What a step does unless a recipe says otherwise."""

    def forward_weight(self, weight: Tensor, pretrained: Tensor, bernoulli: Bernoulli) -> Tensor:
        """The weight that a Linear uses in a training step.

        Args:
            weight: The current value, ``[seeds, out, in]``.
            pretrained: Its value before training, ``[seeds or 1, out, in]``.
            bernoulli: Draws ``[seeds, *shape]`` masks from each seed's own dropout stream.
        """
        return weight

    def further_passes(self) -> Sequence[FurtherPass]:
        """Forward passes of a step besides the first, each for one more entry of ``further`` in ``loss``."""
        return ()

    def loss(self, logits: Tensor, labels: Tensor, further: Sequence[Tensor]) -> Tensor:
        """Each seed's loss of a batch, ``[seeds]``: by default the cross-entropy, or the squared error.

        With ``accumulate`` it is asked for every part of the batch, and the parts' losses are averaged.

        Args:
            logits: ``[seeds, batch, outputs]``.
            labels: ``[seeds, batch]``: class numbers (int64), or scores (float32) of a regression; of several labels at
                once 0 and 1 (float32), ``[seeds, batch, outputs]``.
            further: The logits of the further passes, each as ``logits``.
        """
        from stabbench.optim import seed_losses

        return seed_losses(logits, labels)

    def gradient(self, info: ParameterInfo, gradient: Tensor, bernoulli: Bernoulli) -> Tensor:
        """A component's gradient as the optimizer gets it, after clipping.

        Args:
            info: Which component.
            gradient: ``[seeds, ...]``.
            bernoulli: Draws ``[seeds, *shape]`` masks from each seed's own dropout stream.
        """
        return gradient

    def average(self, step: int, total_steps: int) -> float:
        """The share of the present weights in the running average that is scored, after ``step`` updates, from 1.

        0 leaves the average as it is, 1 begins anew. While it was 0 all the time, the weights themselves are scored.
        """
        return 0.0
