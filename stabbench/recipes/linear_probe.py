"""A linear probe: only the head is trained, on the features of the frozen encoder.

Alain and Bengio 2017, "Understanding intermediate layers using linear classifier probes"; Kumar, Raghunathan, Jones,
Ma and Liang 2022, "Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Stage

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class LinearProbe(Recipe):
    """Bias correction; the head is trained, without dropout, at a rate a hundred times larger; the rest is frozen.

    The pooler is part of the frozen encoder.
    """

    name: ClassVar[str] = "linear-probe"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Alain and Bengio 2017; Kumar et al. 2022, section 2"

    bias_correction = True
    lr = 2e-3
    dropout = 0.0

    def staging(self, layout: Layout) -> Sequence[Stage]:
        return [Stage(layout.names(["head"]))]
