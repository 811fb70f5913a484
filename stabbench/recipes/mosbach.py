"""The simple but hard-to-beat baseline: bias correction and many epochs.

Mosbach, Andriushchenko and Klakow 2021, "On the Stability of Fine-tuning BERT", section 6.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe


class Mosbach(Recipe):
    """Bias correction and 20 epochs, everything else unchanged."""

    name: ClassVar[str] = "mosbach"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Mosbach et al. 2021, section 6"

    bias_correction = True
    epochs = 20.0
