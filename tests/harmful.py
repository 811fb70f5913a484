"""Recipes as users write them, which harm their process as soon as its gradients are those of too many seeds.

A plugin for the commands and the workers: the memory is really asked for, and the process is really killed.
"""

import os
import signal
from pathlib import Path

import torch
from torch import Tensor

from stabbench import Recipe

HARMFUL = str(Path(__file__).resolve())


class Greedy(Recipe):
    """Needs too much memory for more than two seeds."""

    name = "greedy"

    def gradient_scales(self, norms: Tensor) -> Tensor:
        if len(norms) > 2:
            torch.empty(10**15)
        return super().gradient_scales(norms)


class Deadly(Recipe):
    """Kills its process for more than two seeds."""

    name = "deadly"

    def gradient_scales(self, norms: Tensor) -> Tensor:
        if len(norms) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().gradient_scales(norms)


class Doomed(Recipe):
    """Kills its process always."""

    name = "doomed"

    def gradient_scales(self, norms: Tensor) -> Tensor:
        os.kill(os.getpid(), signal.SIGKILL)
        return norms


class Broken(Recipe):
    """Has a bug."""

    name = "broken"

    def gradient_scales(self, norms: Tensor) -> Tensor:
        raise ValueError("a bug")
