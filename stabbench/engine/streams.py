"""Random numbers of a group of seeds: one generator a seed, so that a seed's draws do not depend on its neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from stabbench.seeds import Seeds, Stream

_LEAST_INT64 = -(2**63)


class SeedStreams:
    """One generator per seed for one of the three streams.

    Initialisation and order are drawn on the CPU, whatever the device, so that they are the same everywhere.
    """

    def __init__(self, seeds: Sequence[Seeds], stream: Stream, device: torch.device) -> None:
        self.device = device
        self.generators = [torch.Generator(device).manual_seed(s.derive(stream)) for s in seeds]

    def bernoulli(self, probability: float, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
        """Masks ``[seeds, *shape]`` whose entries are 1 with the given probability (to 1/65536), else 0.

        Sixteen random bits an entry, four entries a draw: a quarter of the time of ``Tensor.bernoulli_`` on the CPU.
        """
        size = math.prod(shape)
        words = torch.empty((len(self.generators), -(-size // 4)), dtype=torch.int64, device=self.device)
        for row, generator in zip(words, self.generators, strict=True):
            row.random_(_LEAST_INT64, None, generator=generator)
        bits = words.view(torch.int16)[:, :size]
        masks = torch.empty(bits.shape, dtype=dtype, device=self.device)
        threshold = min(max(round(probability * 65536), 1), 65536) - 32769
        return torch.le(bits, threshold, out=masks).view(-1, *shape)

    def normal(self, shape: Sequence[int], std: float) -> Tensor:
        """Draws ``[seeds, *shape]`` from N(0, std^2)."""
        return torch.stack([torch.randn(*shape, generator=g, device=self.device) * std for g in self.generators])

    def permutations(self, n: int) -> Tensor:
        """Permutations ``[seeds, n]`` of 0 to n - 1."""
        return torch.stack([torch.randperm(n, generator=g, device=self.device) for g in self.generators])


class SeededDropout(TorchFunctionMode):
    """While active, every ``dropout`` of an unmodified model draws from the seeds' own streams.

    The model runs on a merged batch ``[seeds * batch, ...]``; each seed's part of a mask comes from its own generator.
    """

    def __init__(self, streams: SeedStreams) -> None:
        super().__init__()
        self.streams = streams

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.nn.functional.dropout:
            return self._dropout(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or p == 0:
            return input
        seeds = len(self.streams.generators)
        keep = self.streams.bernoulli(1 - p, (input.shape[0] // seeds, *input.shape[1:]), input.dtype)
        if input.dtype is torch.float32:
            return input * keep.view_as(input).mul_(1 / (1 - p))
        # In a mask of bfloat16 the factor itself would be rounded.
        return input * keep.view_as(input) * (1 / (1 - p))
