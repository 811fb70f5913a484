"""A task as tensors: tokenised once, padded to the longest example of its split, kept on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stabbench.engine.memory import sent
from stabbench.tasks import Examples


@dataclass(frozen=True)
class Batch:
    """Examples of a group of seeds.

    Attributes:
        tokens: The tokenizer's outputs, merged, each ``[seeds * batch, length]``.
        labels: ``[seeds, batch]``.
        real: Which positions are tokens and no padding, ``[seeds, batch, length]``, on the host.
    """

    tokens: dict[str, Tensor]
    labels: Tensor
    real: NDArray[np.bool_]


@dataclass(frozen=True)
class Inputs:
    """Tokenised examples.

    Attributes:
        tokens: The tokenizer's outputs, each ``[examples, length]``.
        labels: ``[examples]``; class numbers (int64) or scores (float32).
        real: Which positions are tokens and no padding, ``[examples, length]``: on the host, which plans with it.
    """

    tokens: dict[str, Tensor]
    labels: Tensor
    real: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Inputs:
        """The same on a device."""
        tokens = {name: values.to(device) for name, values in self.tokens.items()}
        return Inputs(tokens, self.labels.to(device), self.real)

    def rows(self, index: Tensor) -> Batch:
        """The examples at ``index`` ``[seeds, batch]``, which is on the host."""
        there = sent(index, self.labels.device)
        flat = there.flatten()
        tokens = {name: values[flat] for name, values in self.tokens.items()}
        return Batch(tokens, self.labels[there], self.real[index.numpy()])

    def some(self, index: Tensor) -> Inputs:
        """The examples at ``index`` alone."""
        batch = self.rows(index.unsqueeze(0))
        return Inputs(batch.tokens, batch.labels[0], batch.real[0])

    def longest(self, number: int) -> Inputs:
        """So many of the longest examples, or all."""
        return self.some(torch.from_numpy(np.argsort(-self.real.sum(1), kind="stable")[:number]))


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
    mask = tokens.get("attention_mask", torch.ones_like(tokens["input_ids"]))
    return Inputs(dict(tokens), labels, mask.numpy().astype(bool)).to(device)
