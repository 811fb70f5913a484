"""Devlin's scheme with Adam's bias correction put back.

Yang and Ma 2022, Table 1, row 2; the "Standard" of Zhang et al. 2021 (who use batch 32 and no weight decay).
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe


class BiasCorrection(Recipe):
    """The shared scheme with bias correction."""

    name: ClassVar[str] = "bias-correction"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Yang and Ma 2022, Table 1; Zhang et al. 2021, section 4"

    bias_correction = True
