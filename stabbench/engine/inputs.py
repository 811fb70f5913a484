"""A task as tensors: tokenised once, padded to the longest example of its split, kept on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stabbench.tasks import Examples


@dataclass(frozen=True)
class Inputs:
    """Tokenised examples.

    Attributes:
        tokens: The tokenizer's outputs, each ``[examples, length]``.
        labels: ``[examples]``; class numbers (int64) or scores (float32).
    """

    tokens: dict[str, Tensor]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The examples at ``index`` ``[seeds, batch]``: tokens merged, ``[seeds * batch, length]``; labels not."""
        flat = index.flatten()
        return {name: values[flat] for name, values in self.tokens.items()}, self.labels[index]


def encode(examples: Examples, tokenizer: Any, max_length: int, regression: bool, device: torch.device) -> Inputs:
    """Tokenise a split.

    Padding goes to the longest example of the split, not of the batch: a seed's numbers must not depend on which
    examples its neighbours in the stack drew.
    """
    tokens = tokenizer(
        list(examples.first),
        None if examples.second is None else list(examples.second),
        padding="longest",
        truncation=True,
        max_length=min(max_length, tokenizer.model_max_length),
        return_tensors="pt",
    )
    labels = torch.tensor(examples.labels, dtype=torch.float32 if regression else torch.int64)
    return Inputs({name: values.to(device) for name, values in tokens.items()}, labels.to(device))
