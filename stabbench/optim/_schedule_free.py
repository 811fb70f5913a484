"""Schedule-free AdamW: a running average of the iterates in place of a falling rate.

Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky 2024, "The Road Less Scheduled", Algorithm 1.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from torch import Tensor

from stabbench.optim._adamw_torch import TorchAdamW
from stabbench.optim._seeds import Group, averaged_square


class ScheduleFreeAdamW(TorchAdamW):
    """Gradients are taken at y, updates are made to z, and their average x is scored.

    The parameter itself is y; z and x are in the state. ``beta1`` is the share of x in y::

        z <- z - lr * g / (sqrt(v / (1 - beta2^t)) + eps) - lr * weight_decay * y
        x <- (1 - c) x + c z       c = lr^2 / (sum of all lr^2 until now), the largest rate until now for lr
        y <- beta1 x + (1 - beta1) z

    The rate warms up, and then stays where it is.
    """

    scored: ClassVar[str] = "average"

    def decay(self, parameter: Tensor, state: dict[str, Any], group: Group, anchor: Tensor | None) -> None:
        """Moves z, by the value of y."""
        if "z" not in state:
            state.update(z=parameter.clone(), average=parameter.clone())
        share = float(group["lr"]) * group["weight_decay"]
        if share != 0:
            state["z"].sub_(parameter if anchor is None else parameter - anchor, alpha=share)

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        beta1, beta2, rate = group["beta1"], group["beta2"], float(group["lr"])
        z, x = state["z"], state["average"]
        v = averaged_square(state, "exp_avg_sq", gradient, beta2)
        root = v.sqrt().div_(math.sqrt(1 - beta2 ** state["step"])).add_(group["eps"])
        z.addcdiv_(gradient, root, value=-rate)
        largest = state["largest_lr"] = max(rate, state.get("largest_lr", 0.0))
        total = state["weight_sum"] = state.get("weight_sum", 0.0) + largest**2
        share = largest**2 / total if total else 0.0
        x.mul_(1 - share).add_(z, alpha=share)
        parameter.copy_(x).mul_(beta1).add_(z, alpha=1 - beta1)
