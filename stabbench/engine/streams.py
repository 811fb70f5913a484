"""Random numbers of a group of seeds: one generator a seed, so that a seed's draws do not depend on its neighbours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from stabbench.engine.packing import PACKING
from stabbench.seeds import Seeds, Stream

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

    def bernoulli(self, probability: float, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
        """Masks ``[seeds, *shape]`` whose entries are 1 with the given probability (to 1/65536), else 0."""
        return masks(self.generators, probability, shape, dtype)

    def normal(self, shape: Sequence[int], std: float) -> Tensor:
        """Draws ``[seeds, *shape]`` from N(0, std^2)."""
        return torch.stack([torch.randn(*shape, generator=g, device=self.device) * std for g in self.generators])

    def permutations(self, n: int) -> Tensor:
        """Permutations ``[seeds, n]`` of 0 to n - 1."""
        return torch.stack([torch.randperm(n, generator=g, device=self.device) for g in self.generators])


def masks(
    generators: Sequence[torch.Generator], probability: float, shape: tuple[int, ...], dtype: torch.dtype
) -> Tensor:
    """Masks ``[generators, *shape]`` whose entries are 1 with the given probability (to 1/65536), else 0."""
    size = math.prod(shape)
    room = -(-size // WORD)
    drawn = drawn_masks(generators, probability, [size] * len(generators), [room * WORD] * len(generators), dtype)
    return drawn.view(len(generators), -1)[:, :size].contiguous().view(-1, *shape)


def drawn_masks(
    generators: Sequence[torch.Generator],
    probability: float,
    sizes: Sequence[int],
    room: Sequence[int],
    dtype: torch.dtype,
) -> Tensor:
    """So many entries from each generator, each generator's in a room of its own, one after the other in one tensor.

    Sixteen random bits an entry, four entries a draw: a quarter of the time of ``Tensor.bernoulli_`` on the CPU.

    Args:
        generators: One a seed.
        probability: Of an entry to be 1.
        sizes: Entries that each draws.
        room: Entries between one's first and the next one's first: a multiple of 4. What it does not draw is anything.
        dtype: Of the masks.
    """
    device = generators[0].device
    words = torch.empty(sum(room) // WORD, dtype=torch.int64, device=device)
    parts = zip(words.split([entries // WORD for entries in room]), sizes, generators, strict=True)
    for own, size, generator in parts:
        own[: -(-size // WORD)].random_(_LEAST_INT64, None, generator=generator)
    bits = words.view(torch.int16)
    threshold = min(max(round(probability * 65536), 1), 65536) - 32769
    return torch.le(bits, threshold, out=torch.empty(bits.shape, dtype=dtype, device=device))


class SeededDropout(TorchFunctionMode):
    """While active, every ``dropout`` of an unmodified model draws from the seeds' own streams.

    The model runs on a merged batch ``[seeds * batch, ...]``, or on a packed one; each seed's part of a mask comes from
    its own generator.
    """

    active: ClassVar[SeededDropout | None] = None

    def __init__(self, streams: SeedStreams) -> None:
        super().__init__()
        self.generators = streams.generators

    def __enter__(self) -> SeededDropout:
        self._before, SeededDropout.active = SeededDropout.active, self
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        SeededDropout.active = self._before
        super().__exit__(*error)  # type: ignore[no-untyped-call]

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
        packing = PACKING.get()
        if packing is None:
            return self.of(input, p, range(len(self.generators)))
        width = input.numel() // packing.rows
        sizes, room = ([rows * width for rows in each] for each in (packing.own_sizes, packing.sizes))
        return _dropped(input, drawn_masks(self.generators, 1 - p, sizes, room, input.dtype), p)

    def of(self, input: Tensor, p: float, seeds: Sequence[int]) -> Tensor:
        """Dropout of what belongs to some of the seeds, ``[seeds * anything, ...]``."""
        generators = [self.generators[seed] for seed in seeds]
        shape = (input.shape[0] // len(seeds), *input.shape[1:])
        return _dropped(input, masks(generators, 1 - p, shape, input.dtype), p)


def _dropped(input: Tensor, keep: Tensor, p: float) -> Tensor:
    keep = keep.view_as(input)
    if input.dtype is torch.float32:
        return input * keep.mul_(1 / (1 - p))
    # In a mask of bfloat16 the factor itself would be rounded.
    return input * keep * (1 / (1 - p))
