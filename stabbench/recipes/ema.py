"""An exponential moving average of the weights is scored in place of the last ones.

Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; Tarvainen and Valpola 2017, "Mean
teachers are better role models", section 2 and eq. 1; Morales-Brotons, Vogels and Hendrikx 2024, "Exponential Moving
Average of Weights in Deep Learning: Dynamics and Benefits".
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter


class EMA(Recipe):
    """Bias correction, and an average ``a <- decay a + (1 - decay) w`` after every step, which is scored.

    In the first steps the decay is ``1 - 1/t`` where that is smaller, as in the released code of Tarvainen and Valpola:
    until then ``a`` is the mean of all weights. Training itself does not see the average.
    """

    name: ClassVar[str] = "ema"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Polyak and Juditsky 1992; Tarvainen and Valpola 2017, section 2"

    bias_correction = True
    decay: float = parameter(0.98, "decay rate of the average", least=0, below=1)

    def average(self, step: int, total_steps: int) -> float:  # noqa: ARG002
        return max(1 - self.decay, 1 / step)
