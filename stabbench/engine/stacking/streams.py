"""Random numbers of a group of seeds: one generator a seed, so that a seed's draws do not depend on its neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stabbench.engine.stacking.packing import rounded_up
from stabbench.records.seeds import MASK_VALUES, Seeds, Stream

_LEAST_INT64 = -(2**63)
# Entries of a mask in a draw.
WORD = 4


class SeedStreams:
    """One generator per seed for one of the three streams.

    Initialisation and order are drawn on the CPU, whatever the device, so that they are the same everywhere.
    """

    def __init__(self, seeds: Sequence[Seeds], stream: Stream, device: torch.device) -> None:
        self.device = device
        self.generators = [torch.Generator(device).manual_seed(s.derive(stream)) for s in seeds]

    def bernoulli(
        self,
        probability: float,
        shape: tuple[int, ...],
        dtype: torch.dtype = torch.float32,
        seeds: Sequence[int] | None = None,
    ) -> Tensor:
        """Masks ``[seeds, *shape]`` whose entries are 1 with the given probability (to 1/65536), else 0.

        Of all seeds, or of those whose numbers are given.
        """
        generators = self.generators if seeds is None else [self.generators[seed] for seed in seeds]
        size = math.prod(shape)
        space = rounded_up(size, WORD)
        drawn = _drawn(generators, probability, [size] * len(generators), [space] * len(generators), dtype)
        return drawn.view(-1, space)[:, :size].contiguous().view(-1, *shape)

    def restorer(self) -> Callable[[], None]:
        """What sets all generators back to where they are now."""
        states = [generator.get_state() for generator in self.generators]

        def restore() -> None:
            for generator, state in zip(self.generators, states, strict=True):
                generator.set_state(state)

        return restore

    def shares(self, probability: float, sizes: Sequence[int], spaces: Sequence[int], dtype: torch.dtype) -> Tensor:
        """The same for a packed batch: each seed's entries begin a space of its own, whose size is a multiple of 4.

        Returns:
            ``[sum of spaces]``; what is not drawn is anything.
        """
        return _drawn(self.generators, probability, sizes, spaces, dtype)

    def normal(self, shape: Sequence[int], std: float) -> Tensor:
        """Draws ``[seeds, *shape]`` from N(0, std^2)."""
        return torch.stack([torch.randn(*shape, generator=g, device=self.device) * std for g in self.generators])

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draws ``[seeds, *shape]`` evenly from 0 to 1."""
        return torch.stack([torch.rand(*shape, generator=g, device=self.device) for g in self.generators])

    def permutations(self, n: int) -> Tensor:
        """Permutations ``[seeds, n]`` of 0 to n - 1."""
        return torch.stack([torch.randperm(n, generator=g, device=self.device) for g in self.generators])


def _drawn(
    generators: Sequence[torch.Generator],
    probability: float,
    sizes: Sequence[int],
    spaces: Sequence[int],
    dtype: torch.dtype,
) -> Tensor:
    """Sixteen random bits an entry, four entries a draw: a quarter of the time of ``Tensor.bernoulli_`` on the CPU."""
    device = generators[0].device
    words = torch.empty(sum(spaces) // WORD, dtype=torch.int64, device=device)
    parts = zip(words.split([space // WORD for space in spaces]), sizes, generators, strict=True)
    for own, size, generator in parts:
        own[: -(-size // WORD)].random_(_LEAST_INT64, None, generator=generator)
    bits = words.view(torch.int16)
    threshold = min(max(round(probability * MASK_VALUES), 1), MASK_VALUES) - MASK_VALUES // 2 - 1
    return torch.le(bits, threshold, out=torch.empty(bits.shape, dtype=dtype, device=device))
