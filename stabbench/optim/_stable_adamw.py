"""StableAdamW: AdamW whose rate falls, tensor by tensor, where the second moment lags behind the gradient.

Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi and Schmidt 2023, "Stable and low-precision training for large-scale
vision-language models", section 3.3 and Algorithm 2. Its clipping of updates is Adafactor's (Shazeer and Stern 2018,
section 5).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from stabbench.optim._adamw_torch import TorchAdamW
from stabbench.optim._seeds import Group, averaged, averaged_square, seed_rms


class StableAdamW(TorchAdamW):
    """AdamW with the rate ``lr / max(1, RMS_t)``, ``RMS_t = sqrt(mean(g^2 / max(v, eps^2)))`` over one tensor.

    The moments have Adam's correction in their decay rates, ``beta' = beta (1 - beta^(t-1)) / (1 - beta^t)``: m and v
    are the corrected ones. Weight decay has the same rate as the update.
    """

    def decay(
        self,
        parameter: Tensor,  # noqa: ARG002
        state: dict[str, Any],
        group: Group,  # noqa: ARG002
        anchor: Tensor | None,
    ) -> None:
        """Comes with the update, whose rate is each seed's own."""
        state["anchor"] = anchor

    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        anchor = state.pop("anchor")
        m = averaged(state, "exp_avg", gradient, corrected(group["beta1"], state["step"]))
        v = averaged_square(state, "exp_avg_sq", gradient, corrected(group["beta2"], state["step"]))
        rms = seed_rms(gradient / v.clamp(min=group["eps"] ** 2).sqrt_())
        rate = float(group["lr"]) / rms.clamp(min=1.0)
        if group["weight_decay"] != 0:
            parameter.sub_((parameter if anchor is None else parameter - anchor) * (rate * group["weight_decay"]))
        parameter.sub_(m / v.sqrt().add_(group["eps"]) * rate)


def corrected(beta: float, step: int) -> float:
    """The decay rate that keeps a moment corrected after update ``step``, from 1; 0 at the first."""
    return beta * (1 - beta ** (step - 1)) / (1 - beta**step)
