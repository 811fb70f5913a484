"""Attention over a packed batch, in the place of ``transformers``' own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from stabbench.engine.packing import PACKING, Room
from stabbench.engine.stack import StackError
from stabbench.engine.streams import dropout_of

# What a configuration calls it.
PACKED = "stabbench-packed"


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[Tensor, None]:
    """Every token attends to all tokens of its example.

    Args:
        module: Whose attention it is.
        query: ``[1, heads, rows, width]``, as are ``key`` and ``value``.
        key: Likewise.
        value: Likewise.
        attention_mask: None: the packing knows.
        scaling: Of the scores.
        dropout: Probability; 0 outside training.
        others: Whatever else a family asks for; it may not change what is computed.

    Returns:
        ``[1, rows, heads, width]``; and no weights.

    Raises:
        StackError: The model wants another kind of attention.
    """
    packing = PACKING.get()
    if packing is None or attention_mask is not None or getattr(module, "is_causal", False):
        raise StackError("attention of another kind than from every token of an example to every other")
    if unknown := [name for name, value in others.items() if value is not None and value is not False]:
        raise StackError(f"attention with {', '.join(unknown)}")
    heads, width = query.shape[1], query.shape[3]
    move, rooms = packing.attention(heads)
    queries, keys, values = (move(x.transpose(1, 2).reshape(-1, width)) for x in (query, key, value))
    if len(rooms) == 1:  # as most often: to split and to join would copy
        attended = _in_room(rooms[0], queries, keys, values, scaling, dropout)
    else:
        sizes = [len(room.bias) * room.length for room in rooms]
        parts = zip(rooms, queries.split(sizes), keys.split(sizes), values.split(sizes), strict=True)
        attended = torch.cat([_in_room(room, q, k, v, scaling, dropout) for room, q, k, v in parts])
    return move.back()(attended).view(1, -1, heads, width), None


def _in_room(room: Room, queries: Tensor, keys: Tensor, values: Tensor, scaling: float, dropout: float) -> Tensor:
    """``[seeds * batch * heads * length, width]``, as are the arguments."""
    queries, keys, values = (x.view(-1, room.length, x.shape[1]) for x in (queries, keys, values))
    weights = torch.baddbmm(room.bias.to(queries.dtype), queries * scaling, keys.mT).softmax(-1)
    if dropout > 0:
        weights = dropout_of(weights, dropout, room.seeds)
    return torch.bmm(weights.to(values.dtype), values).flatten(0, 1)


AttentionInterface.register(PACKED, packed_attention)
