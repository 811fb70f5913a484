"""Longer training: as many updates as the task needs, and not three epochs.

Zhang, Wu, Katiyar, Weinberger and Artzi 2021, "Revisiting Few-sample BERT Fine-tuning", section 6.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe


class Longer(Recipe):
    """Bias correction and a number of updates instead of epochs: the paper tries 200, 400, 800, 1600 and 3200."""

    name: ClassVar[str] = "longer"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Zhang et al. 2021, section 6"

    bias_correction = True
    steps = 800
