"""Devlin's default: short, and Adam without bias correction.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", as specified by
Mosbach et al. 2021, section 3.2.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe


class Devlin(Recipe):
    """The shared scheme unchanged: 3 epochs, no bias correction."""

    name: ClassVar[str] = "devlin"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Devlin et al. 2019; Mosbach et al. 2021, section 3.2"
