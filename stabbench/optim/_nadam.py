"""NAdam: Adam with Nesterov's momentum.

Dozat 2016, "Incorporating Nesterov Momentum into Adam"; with the schedule of momentum that Sutskever et al. 2013
propose, as in ``torch.optim.NAdam``.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from stabbench.optim._adamw_torch import TorchAdamW
from stabbench.optim._seeds import Group, averaged, averaged_square

MOMENTUM_DECAY = 4e-3


class NAdam(TorchAdamW):
    """Adam that looks one step of its momentum ahead.

    With ``mu_t = beta1 * (1 - 0.96^(t * 0.004) / 2)`` and the products ``p_t = mu_1 ... mu_t``::

        w <- w - lr * ((1 - mu_t) / (1 - p_t) * g + mu_(t+1) / (1 - p_(t+1)) * m) / (sqrt(v / (1 - beta2^t)) + eps)
    """

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        beta2, step, rate = group["beta2"], state["step"], float(group["lr"])
        now, following = momentum(step, group["beta1"]), momentum(step + 1, group["beta1"])
        product = state["mu_product"] = state.get("mu_product", 1.0) * now
        m = averaged(state, "exp_avg", gradient, group["beta1"])
        v = averaged_square(state, "exp_avg_sq", gradient, beta2)
        root = v.sqrt().div_(math.sqrt(1 - beta2**step)).add_(group["eps"])
        parameter.addcdiv_(gradient, root, value=-rate * (1 - now) / (1 - product))
        parameter.addcdiv_(m, root, value=-rate * following / (1 - product * following))


def momentum(step: int, beta1: float) -> float:
    """The momentum mu_t of update ``step``, from 1: half of beta1 at first, beta1 in the long run."""
    rising: float = 0.96 ** (step * MOMENTUM_DECAY)
    return beta1 * (1 - 0.5 * rising)
