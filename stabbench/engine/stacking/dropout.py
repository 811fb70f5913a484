"""Dropout of a stack: each seed's masks come from its own stream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from stabbench.engine.stacking.context import current, packing_now
from stabbench.engine.stacking.streams import SeedStreams


def dropout_functions() -> contextlib.AbstractContextManager[object]:
    """While active, PyTorch's dropout function is :func:`dropout`, too: for a model that calls it outside modules.

    PyTorch then asks at every call of any function, which takes a sixth of the time of a step of one seed.
    """
    return _Functions()


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
    packing = packing_now()
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
    now = current()
    assert now is not None
    assert now.streams is not None, "dropout of a model that trains comes from the seeds' own streams"
    return now.streams


def _dropped(input: Tensor, keep: Tensor, p: float) -> Tensor:
    keep = keep.view_as(input)
    if input.dtype is torch.float32:
        return input * keep.mul_(1 / (1 - p))
    # In a mask of bfloat16 the factor itself would be rounded.
    return input * keep * (1 / (1 - p))
