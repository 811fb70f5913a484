"""AdamW as PyTorch has it: eps is added after the second moment's correction.

Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", Algorithm 2; ``torch.optim.AdamW``. The form of
the fine-tuning papers is :class:`stabbench.optim.AdamW`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from stabbench.optim._seeds import Group, SeedOptimizer, averaged, averaged_square


class TorchAdamW(SeedOptimizer):
    """``w <- w - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)``.

    Args:
        params: Parameters ``[seeds, ...]``, or groups.
        lr: Learning rate from 0 up.
        beta1: Decay rate of the first moment m, in [0, 1).
        beta2: Decay rate of the second moment v, in [0, 1).
        eps: Added after the correction, from 0 up.
        weight_decay: Decoupled decay, before the update.
    """

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-3, beta1: float = 0.9,
        beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, weight_decay, beta1=beta1, beta2=beta2, eps=eps)

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        m = averaged(state, "exp_avg", gradient, group["beta1"])
        v = averaged_square(state, "exp_avg_sq", gradient, group["beta2"])
        root = v.sqrt().div_(math.sqrt(1 - group["beta2"] ** state["step"])).add_(group["eps"])
        parameter.addcdiv_(m, root, value=-float(group["lr"]) / (1 - group["beta1"] ** state["step"]))
