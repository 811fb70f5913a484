"""Types that the hooks of a recipe return: plain records. The one that holds a recipe is in :mod:`._base`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share the optimizer's settings.

    Attributes:
        names: The parameters' names.
        weight_decay: Decoupled weight decay.
        lr_factor: Multiplies the scheduled learning rate.
        to_pretrained: The decay pulls towards the values before training, and not towards 0.
    """

    names: Sequence[str]
    weight_decay: float
    lr_factor: float = 1.0
    to_pretrained: bool = False


@dataclass(frozen=True)
class Stage:
    """One of the equal parts of a training, with an optimizer and a learning-rate schedule of its own.

    Attributes:
        trained: Names of the parameters that change.
        restart: It starts from the values before training and with the seeds' streams anew, as if it were the first.
    """

    trained: frozenset[str]
    restart: bool = False
