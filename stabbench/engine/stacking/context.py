"""What the layers of a model need to know of the forward pass that is under way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from torch import nn

from stabbench.engine.stacking.packing import Packing
from stabbench.engine.stacking.streams import SeedStreams


@dataclass
class ForwardPass:
    """A forward pass of the engine.

    Attributes:
        streams: What masks of dropout are drawn from; None where nothing is dropped.
        packing: Of the hidden states, while they are between a packed encoder's embeddings and its head.
    """

    streams: SeedStreams | None = None
    packing: Packing | None = None


_CURRENT: ContextVar[ForwardPass | None] = ContextVar("_CURRENT", default=None)


def current() -> ForwardPass | None:
    """The forward pass that is under way; None in a model that somebody else calls."""
    return _CURRENT.get()


def packing_now() -> Packing | None:
    """The packing of the hidden states that a layer gets; None where they are a merged batch."""
    now = _CURRENT.get()
    return None if now is None else now.packing


@contextlib.contextmanager
def forward_pass(streams: SeedStreams | None = None, packing: Packing | None = None) -> Iterator[ForwardPass]:
    """While active, layers know of this forward pass."""
    made = ForwardPass(streams, packing)
    before = _CURRENT.set(made)
    try:
        yield made
    finally:
        _CURRENT.reset(before)


@contextlib.contextmanager
def packed_inside(encoder: nn.Module, packing: Packing) -> Iterator[None]:
    """While active, ``encoder`` gets its hidden states packed, and gives them as ``[seeds * batch, length, width]``."""
    now = _CURRENT.get()
    assert now is not None, "hidden states are packed in a forward pass of the engine"

    def enter(_: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        hidden, *rest = args or (options.pop("hidden_states"),)
        now.packing = packing
        return (packing.tokens(hidden.flatten(0, 1)).unsqueeze(0), *rest), options

    def leave(_: nn.Module, __: tuple[Any, ...], output: Any) -> Any:
        now.packing = None
        # A padding position has what its example's first token has.
        merged = (packing.real.shape[0] * packing.real.shape[1], packing.real.shape[2], -1)
        output["last_hidden_state"] = packing.tokens.back()(output.last_hidden_state[0]).view(merged)
        return output

    hooks = [encoder.register_forward_pre_hook(enter, with_kwargs=True), encoder.register_forward_hook(leave)]
    try:
        yield
    finally:
        now.packing = None
        for hook in hooks:
            hook.remove()
