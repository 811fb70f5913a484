"""The three random streams of a run: initialisation, data order, dropout.

Zhang et al. 2021 (appendix B) cross initialisation seeds with data-order seeds; Mosbach et al. 2021 vary all together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

Stream = Literal["initialisation", "order", "dropout"]


@dataclass(frozen=True)
class Seeds:
    """The seeds of one run.

    Attributes:
        seed: The run's number, which all three streams take unless they are set.
        initialisation: Draws the new head, and what a recipe re-initialises.
        order: Shuffles the training examples.
        dropout: Draws the dropout masks, and mixout's.
    """

    seed: int
    initialisation: int
    order: int
    dropout: int

    @classmethod
    def of(cls, seed: int, **streams: int | None) -> Seeds:
        """All streams on ``seed``, except those that are given: ``Seeds.of(3, initialisation=0)``."""
        return replace(cls(seed, seed, seed, seed), **{k: v for k, v in streams.items() if v is not None})

    def derive(self, stream: Stream) -> int:
        """A 63-bit seed for a generator, independent between streams and between seeds."""
        text = f"stabbench/{stream}/{getattr(self, stream)}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
