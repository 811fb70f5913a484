"""Rows that move from one layout to another and back, with the gradients that belong to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Move:
    """Rows from one layout to another, where some of them have no counterpart.

    Attributes:
        take: For each row of the new layout the row of the old one that it is, or is a copy of.
        give: For each row of the old layout the row of the new one.
        unread: The rows of the old layout that only have a copy, if any, in the new one: their gradient is zero.
        copies: The rows of the new layout that are only copies.
    """

    take: Tensor
    give: Tensor
    unread: Tensor
    copies: Tensor

    def back(self) -> Move:
        """The way back."""
        return Move(self.give, self.take, self.copies, self.unread)

    def __call__(self, values: Tensor) -> Tensor:
        """Move ``[rows, ...]``."""
        moved: Tensor = _Moved.apply(values, self)  # type: ignore[no-untyped-call]
        return moved


class _Moved(torch.autograd.Function):
    """Gathers in both directions: the gradient of an ordinary lookup adds up, one row after the other."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, move: Move) -> Tensor:
        ctx.move = move
        return values.index_select(0, move.take)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.index_select(0, ctx.move.give).index_fill_(0, ctx.move.unread, 0), None
