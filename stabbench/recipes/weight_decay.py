"""Conventional weight decay, towards 0, as a method of its own.

Krogh and Hertz 1992; Zhang et al. 2021, "Revisiting Few-sample BERT Fine-tuning", section 7 and appendix H.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe


class WeightDecay(Recipe):
    """Bias correction and a chosen weight decay: the paper tries 1e-4, 1e-3, 1e-2 and 1e-1."""

    name: ClassVar[str] = "weight-decay"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Zhang et al. 2021, section 7"

    bias_correction = True
    weight_decay = 0.1
