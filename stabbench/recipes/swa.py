"""Stochastic weight averaging: what is scored is the mean of the weights at the end of the training.

Izmailov, Podoprikhin, Garipov, Vetrov and Wilson 2018, "Averaging Weights Leads to Wider Optima and Better
Generalization", section 3.2 and Algorithm 1.
"""

from __future__ import annotations

from typing import ClassVar

from stabbench.recipes._base import Recipe
from stabbench.recipes._parameters import parameter


class SWA(Recipe):
    """Bias correction; after the share ``start`` the rate stays at ``swa_lr`` of its peak, and weights are averaged.

    Until then it falls linearly from its peak to that value. The mean is over every ``every``-th step. The paper
    averages once an epoch of several hundred steps; a fine-tuning has few epochs, hence steps.
    """

    name: ClassVar[str] = "swa"
    version: ClassVar[int] = 1
    paper: ClassVar[str] = "Izmailov et al. 2018, section 3.2"

    bias_correction = True
    start: float = parameter(0.75, "share of the steps before the average begins", least=0, below=1)
    every: int = parameter(5, "steps from one averaged value of the weights to the next", least=1)
    swa_lr: float = parameter(0.5, "the constant learning rate of the average, as a share of the peak", above=0)

    def schedule(self, step: int, total_steps: int) -> float:
        first, warmup = self._first(total_steps), round(self.warmup * total_steps)
        if step < warmup:
            return step / warmup
        if step >= first or first <= warmup:
            return self.swa_lr
        return 1 - (1 - self.swa_lr) * (step - warmup) / (first - warmup)

    def average(self, step: int, total_steps: int) -> float:
        number, rest = divmod(step - max(1, self._first(total_steps)), self.every)
        return 0.0 if rest or number < 0 else 1 / (number + 1)

    def _first(self, total_steps: int) -> int:
        """The first step whose weights are averaged; the last of the training at the latest."""
        return min(round(self.start * total_steps), total_steps - 1)
