"""Stochastic gradient descent with momentum.

Sutskever, Martens, Dahl and Hinton 2013, "On the importance of initialization and momentum in deep learning", in the
form of ``torch.optim.SGD``; decay is decoupled (Loshchilov and Hutter 2019, Algorithm 1, SGDW).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from stabbench.optim._seeds import Group, SeedOptimizer, kept


class SGD(SeedOptimizer):
    """``b <- momentum * b + g``, ``w <- w - lr * b``.

    Args:
        params: Parameters ``[seeds, ...]``, or groups.
        lr: Learning rate from 0 up.
        momentum: In [0, 1).
        weight_decay: Decoupled decay, before the update; ``torch.optim.SGD`` adds it to the gradient.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-2, momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, weight_decay, momentum=momentum)

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        buffer = kept(state, "momentum_buffer", gradient).mul_(group["momentum"]).add_(gradient)
        parameter.add_(buffer, alpha=-float(group["lr"]))
