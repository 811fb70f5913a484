"""BitFit: only the biases are trained, and the head.

Ben Zaken, Goldberg and Ravfogel 2022, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
Language-models", section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from stabbench.errors import RecipeError
from stabbench.recipes._base import Recipe
from stabbench.recipes._hook_types import Stage

if TYPE_CHECKING:
    from stabbench.models.layout import Layout


class BitFit(Recipe):
    """Bias correction; every bias and the head are trained, at a rate five times larger, and all else is frozen.

    The biases of norms are biases, too. The paper tries rates from 1e-4 to 1e-3, and 1e-5 to 5e-5 for all parameters;
    on the lab model the larger ones fail.
    """

    name: ClassVar[str] = "bitfit"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Ben Zaken et al. 2022, section 3"

    bias_correction = True
    lr = 1e-4

    def staging(self, layout: Layout) -> Sequence[Stage]:
        head = layout.names(["head"])
        biases = frozenset(p.name for p in layout.parameters if p.kind == "bias")
        if biases <= head:
            raise RecipeError(
                f"recipe {self.name!r}: this model has no biases", "use linear-probe, which trains the head"
            )
        return [Stage(head | biases)]
