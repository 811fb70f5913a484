"""Types that the hooks of a recipe return: plain records. The one that holds a recipe is in :mod:`._base`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


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
        lr_factor: Multiplies the scheduled learning rate.
    """

    trained: frozenset[str]
    restart: bool = False
    lr_factor: float = 1.0


@dataclass(frozen=True)
class FurtherPass:
    """One more forward pass of a step on the same batch, with masks of dropout of its own.

    Attributes:
        noise: Of what kind of distribution numbers are added to the token embeddings.
        size: The standard deviation of ``"normal"`` noise, the bound of ``"uniform"`` noise.
    """

    noise: Literal["none", "normal", "uniform"] = "none"
    size: float = 0.0


@dataclass(frozen=True)
class Subnetwork:
    """Parameters of which only the entries that matter most to the task are trained.

    Attributes:
        names: The parameters; all others are trained in full.
        share: How many of their entries, taken together, are trained: those with the largest Fisher information.
    """

    names: frozenset[str]
    share: float
