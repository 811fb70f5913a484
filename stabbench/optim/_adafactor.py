"""Adafactor: the second moment of a matrix is kept as the means of its rows and columns, and updates are clipped.

Shazeer and Stern 2018, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", Algorithms 4 and 5, in the
form of ``torch.optim.Adafactor``: no momentum, and a rate relative to the size of the parameter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from stabbench.optim._seeds import Group, SeedOptimizer, kept, seed_rms

# The paper's epsilon_2, d and exponent of beta2_t = 1 - t^-0.8 (sections 6, 7.2 and 8).
LEAST_SIZE, CLIP, EXPONENT = 1e-3, 1.0, -0.8


class Adafactor(SeedOptimizer):
    """``w <- w - a u / max(1, RMS(u))``, ``u = g / sqrt(v)``, ``a = max(1e-3, RMS(w)) * min(lr, 1 / sqrt(t))``.

    RMS is over one tensor of one seed. v is the moving average of g^2; of a matrix, the product of its averages over
    rows and over columns, divided by the mean.

    Args:
        params: Parameters ``[seeds, ...]``, or groups.
        lr: The largest relative rate, from 0 up.
        weight_decay: Decoupled decay, before the update.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-2, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr, weight_decay)

    def decay(self, parameter: Tensor, state: dict[str, Any], group: Group, anchor: Tensor | None) -> None:
        # The size of the parameter is that before its decay.
        state["size"] = seed_rms(parameter).clamp_(min=LEAST_SIZE)
        super().decay(parameter, state, group, anchor)

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        step, least = state["step"], torch.finfo(parameter.dtype).eps
        alpha = state.pop("size") * min(float(group["lr"]), 1 / math.sqrt(step))
        new, square = step**EXPONENT, gradient.square()
        if gradient.dim() > 2:  # besides the seeds' axis
            rows = _mixed(state, "row_var", _means(square), new)
            columns = _mixed(state, "col_var", _means(square.mT).mT, new)
            v = rows * columns / _means(rows.mT).clamp_(min=least)
        else:
            v = _mixed(state, "variance", square, new).clone()
        direction = v.clamp_(min=least * least).rsqrt_().mul_(gradient)
        parameter.sub_(direction * (alpha / (seed_rms(direction) / CLIP).clamp_(min=1.0)))


def _means(values: Tensor) -> Tensor:
    """Means over the last axis, which stays; of a copy in order, or the sum's order would depend on the stack."""
    return values.contiguous().mean(-1, keepdim=True)


def _mixed(state: dict[str, Any], name: str, values: Tensor, share: float) -> Tensor:
    return kept(state, name, values).mul_(1 - share).add_(values, alpha=share)
