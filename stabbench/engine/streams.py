"""Random numbers of a group of seeds: one generator a seed, so that a seed's draws do not depend on its neighbours."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from stabbench.engine.packing import PACKING, rounded_up
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

    def shares(self, probability: float, sizes: Sequence[int], spaces: Sequence[int], dtype: torch.dtype) -> Tensor:
        """The same for a packed batch: each seed's entries begin a space of its own, whose size is a multiple of 4.

        Returns:
            ``[sum of spaces]``; what is not drawn is anything.
        """
        return _drawn(self.generators, probability, sizes, spaces, dtype)

    def normal(self, shape: Sequence[int], std: float) -> Tensor:
        """Draws ``[seeds, *shape]`` from N(0, std^2)."""
        return torch.stack([torch.randn(*shape, generator=g, device=self.device) * std for g in self.generators])

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
    threshold = min(max(round(probability * 65536), 1), 65536) - 32769
    return torch.le(bits, threshold, out=torch.empty(bits.shape, dtype=dtype, device=device))


# What the forward pass that is under way draws its masks from.
_STREAMS: ContextVar[SeedStreams | None] = ContextVar("_STREAMS", default=None)


@contextlib.contextmanager
def seeded(streams: SeedStreams | None, functions: bool) -> Iterator[None]:
    """While active, :func:`dropout` draws from the seeds' own streams.

    Args:
        streams: None where nothing is to be drawn.
        functions: Whether PyTorch's function does, too, for a model that does not leave all dropout to modules. Then
            PyTorch asks at every call of any function, which takes a sixth of the time of a step of one seed.
    """
    before = _STREAMS.set(streams)
    try:
        with _Functions() if functions and streams is not None else contextlib.nullcontext():
            yield
    finally:
        _STREAMS.reset(before)


class _Functions(TorchFunctionMode):
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return (dropout if func is torch.nn.functional.dropout else func)(*args, **(kwargs or {}))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As PyTorch's, of a merged batch ``[seeds * batch, ...]`` or of a packed one: each seed from its own stream."""
    if not training or p == 0:
        return input
    packing = PACKING.get()
    if packing is None:
        return dropout_of(input, p, None)
    width = input.numel() // packing.rows
    sizes, spaces = ([rows * width for rows in each] for each in (packing.own_sizes, packing.sizes))
    return _dropped(input, _streams().shares(1 - p, sizes, spaces, input.dtype), p)


def dropout_of(input: Tensor, p: float, seeds: Sequence[int] | None) -> Tensor:
    """Of what belongs to all of the seeds, or to some, ``[seeds * anything, ...]``."""
    streams = _streams()
    number = len(streams.generators if seeds is None else seeds)
    shape = (input.shape[0] // number, *input.shape[1:])
    return _dropped(input, streams.bernoulli(1 - p, shape, input.dtype, seeds), p)


def _streams() -> SeedStreams:
    streams = _STREAMS.get()
    assert streams is not None, "dropout of a model that trains comes from the seeds' own streams"
    return streams


def _dropped(input: Tensor, keep: Tensor, p: float) -> Tensor:
    keep = keep.view_as(input)
    if input.dtype is torch.float32:
        return input * keep.mul_(1 / (1 - p))
    # In a mask of bfloat16 the factor itself would be rounded.
    return input * keep * (1 / (1 - p))
