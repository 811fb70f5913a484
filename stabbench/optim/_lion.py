"""Lion: every entry moves by the rate, in the direction of the sign of a mean of momentum and gradient.

Chen, Liang, Huang, Real, Wang, Pham, Dong, Luong, Hsieh, Lu and Le 2023, "Symbolic Discovery of Optimization
Algorithms", Program 1 and section 3.2. The paper advises a rate three to ten times smaller than AdamW's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from stabbench.optim._seeds import Group, SeedOptimizer, kept


class Lion(SeedOptimizer):
    """``w <- w - lr * sign(beta1 m + (1 - beta1) g)``, then ``m <- beta2 m + (1 - beta2) g``.

    Args:
        params: Parameters ``[seeds, ...]``, or groups.
        lr: Learning rate from 0 up.
        beta1: Share of the momentum in the direction, in [0, 1).
        beta2: Decay rate of the momentum, in [0, 1).
        weight_decay: Decoupled decay, before the update: in the paper's program they are one sum, which is the same.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-4, beta1: float = 0.9,
        beta2: float = 0.99, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, weight_decay, beta1=beta1, beta2=beta2)

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        m = kept(state, "exp_avg", gradient)
        direction = (m * group["beta1"]).add_(gradient, alpha=1 - group["beta1"]).sign_()
        parameter.add_(direction, alpha=-float(group["lr"]))
        m.mul_(group["beta2"]).add_(gradient, alpha=1 - group["beta2"])
