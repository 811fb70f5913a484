"""RAdam: Adam whose adaptive rate is held back while its variance is large, as a warm-up would.

Liu, Jiang, He, Chen, Liu, Gao and Han 2020, "On the Variance of the Adaptive Learning Rate and Beyond", Algorithm 2;
the threshold of 5 and the place of eps are those of the authors' code and of ``torch.optim.RAdam``.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from stabbench.optim._adamw_torch import TorchAdamW
from stabbench.optim._seeds import Group, averaged, averaged_square

# Below this length of the approximated average its variance cannot be told, and momentum alone makes the update.
LEAST_LENGTH = 5.0


class RAdam(TorchAdamW):
    """Adam with the rectification r_t of its rate; no second moment in the first steps.

    With the corrected moments m' and v', ``rho = 2 / (1 - beta2) - 1`` and
    ``rho_t = rho - 2 t beta2^t / (1 - beta2^t)``::

        w <- w - lr * r_t * m' / sqrt(v')      where rho_t > 5
        w <- w - lr * m'                       elsewhere
    """

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        beta1, beta2, step = group["beta1"], group["beta2"], state["step"]
        m = averaged(state, "exp_avg", gradient, beta1)
        v = averaged_square(state, "exp_avg_sq", gradient, beta2)
        rate = float(group["lr"]) / (1 - beta1**step)
        if (r := rectification(step, beta2)) == 0:
            parameter.add_(m, alpha=-rate)
        else:
            parameter.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-rate * r * math.sqrt(1 - beta2**step))


def rectification(step: int, beta2: float) -> float:
    """The factor r_t on the rate of update ``step``, from 1; 0 where the variance cannot be told."""
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    if length <= LEAST_LENGTH:
        return 0.0
    return math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
