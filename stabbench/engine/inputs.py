"""A task as tensors: tokenised once, padded to the longest example of its split, kept on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stabbench.engine.memory import to_device_async
from stabbench.tasks.task import Examples, Task


@dataclass(frozen=True)
class Batch:
    """Examples of a group of seeds.

    Attributes:
        tokens: The tokenizer's outputs, merged, each ``[seeds * batch, length]``.
        labels: ``[seeds, batch]``, or ``[seeds, batch, classes]`` of several labels.
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
        labels: ``[examples]``; class numbers (int64) or scores (float32); of several labels 0 and 1 (float32),
            ``[examples, classes]``.
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
        there = to_device_async(index, self.labels.device)
        flat = there.flatten()
        tokens = {name: values[flat] for name, values in self.tokens.items()}
        return Batch(tokens, self.labels[there], self.real[index.numpy()])

    def some(self, index: Tensor) -> Inputs:
        """The examples at ``index`` alone."""
        batch = self.rows(index.unsqueeze(0))
        return Inputs(batch.tokens, batch.labels[0], batch.real[0])

    def longest(self, number: int) -> Inputs:
        """The ``number`` longest examples, or all."""
        return self.some(torch.from_numpy(np.argsort(-self.real.sum(1), kind="stable")[:number]))


def tokenise(
    first: Sequence[str],
    second: Sequence[str] | None,
    tokenizer: Any,
    max_length: int,
    separator: str = "",
    *,
    padded: bool = False,
) -> Mapping[str, Any]:
    """The tokenizer's outputs for texts or pairs of texts, cut at ``max_length`` tokens.

    Args:
        first: The texts, or the first of each pair.
        second: The second of each pair.
        tokenizer: The model's.
        max_length: In tokens; fewer if the tokenizer says so.
        separator: A text to put between the two of a pair, where the tokenizer puts nothing.
        padded: Whether to pad to the longest, and return tensors.
    """
    tokens: Mapping[str, Any] = tokenizer(
        list(first),
        None if second is None else [separator + text for text in second],
        truncation=True,
        max_length=min(max_length, tokenizer.model_max_length),
        padding="longest" if padded else False,
        return_tensors="pt" if padded else None,
    )
    return tokens


def label_tensor(task: Task, examples: Examples) -> Tensor:
    """The labels of some of a task's examples, as :class:`Inputs` has them."""
    dtype = torch.int64 if task.kind in ("binary", "multi-class") else torch.float32
    return torch.tensor(task.targets(examples), dtype=dtype)


def encode(examples: Examples, tokenizer: Any, max_length: int, labels: Tensor, separator: str = "") -> Inputs:
    """Tokenise a split, on the host.

    Padding goes to the longest example of the split, not of the batch: a seed's numbers must not depend on which
    examples its neighbours in the stack drew.
    """
    tokens = tokenise(examples.first, examples.second, tokenizer, max_length, separator, padded=True)
    mask = tokens.get("attention_mask", torch.ones_like(tokens["input_ids"]))
    return Inputs(dict(tokens), labels, mask.numpy().astype(bool))
