"""Attention over a packed batch, in the place of ``transformers``' own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stabbench.engine.stacking.context import packing_now
from stabbench.engine.stacking.dropout import dropout_of
from stabbench.engine.stacking.packing import AttentionBlock
from stabbench.engine.stacking.stack import StackError


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **others: object,
) -> tuple[Tensor, None]:
    """Every token attends to all tokens of its example.

    Args:
        module: Whose attention it is.
        query: ``[1, heads, rows, width]``.
        key: ``[1, heads, rows, width]``.
        value: ``[1, heads, rows, width]``.
        attention_mask: None: the packing knows.
        scaling: Of the scores.
        dropout: Probability; 0 outside training.
        others: Options of a family that must be None or False: any other would change what is computed.

    Returns:
        ``[1, rows, heads, width]``; and no weights.

    Raises:
        StackError: The model wants another kind of attention.
    """
    packing = packing_now()
    if packing is None or attention_mask is not None or getattr(module, "is_causal", False):
        raise StackError("attention of another kind than from every token of an example to every other")
    if unknown := [name for name, value in others.items() if value is not None and value is not False]:
        raise StackError(f"attention with {', '.join(unknown)}")
    heads, width = query.shape[1], query.shape[3]
    move, blocks = packing.attention(heads)
    queries, keys, values = (move(x.transpose(1, 2).reshape(-1, width)) for x in (query, key, value))
    if len(blocks) == 1:  # as most often: to split and to join would copy
        attended = _in_block(blocks[0], queries, keys, values, scaling, dropout)
    else:
        sizes = [len(block.bias) * block.length for block in blocks]
        parts = zip(blocks, queries.split(sizes), keys.split(sizes), values.split(sizes), strict=True)
        attended = torch.cat([_in_block(block, q, k, v, scaling, dropout) for block, q, k, v in parts])
    return move.back()(attended).view(1, -1, heads, width), None


def _in_block(
    block: AttentionBlock, queries: Tensor, keys: Tensor, values: Tensor, scaling: float, dropout: float
) -> Tensor:
    """``[seeds * batch * heads * length, width]``, as are the arguments."""
    queries, keys, values = (x.view(-1, block.length, x.shape[1]) for x in (queries, keys, values))
    weights = torch.baddbmm(block.bias.to(queries.dtype), queries * scaling, keys.mT).softmax(-1)
    if dropout > 0:
        weights = dropout_of(weights, dropout, block.seeds)
    return torch.bmm(weights.to(values.dtype), values).flatten(0, 1)
