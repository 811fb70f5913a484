"""LP-FT: first a linear probe, then full fine-tuning from the head that it found.

Kumar, Raghunathan, Jones, Ma and Liang 2022, "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", section 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Stage
from stabbench.recipes._parameters import parameter

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class LpFt(Recipe):
    """Bias correction in two stages of ``epochs`` each: the head alone, then everything.

    Each stage has an optimizer and a schedule of its own; the first has ``probe_factor`` times the rate. ``steps`` and
    ``evaluations`` are for each stage. The paper probes on features without dropout; here both stages have the model's.
    """

    name: ClassVar[str] = "lp-ft"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Kumar et al. 2022, section 3.4"

    bias_correction = True
    probe_factor: float = parameter(100.0, "on the learning rate while only the head is trained", above=0)

    def total_steps(self, train_size: int) -> int:
        return super().total_steps(train_size) * 2

    def staging(self, layout: Layout) -> Sequence[Stage]:
        everything = frozenset(p.name for p in layout.parameters)
        return [Stage(layout.names(["head"]), lr_factor=self.probe_factor), Stage(everything)]
