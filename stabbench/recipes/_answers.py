"""What the hooks of a recipe answer: plain records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stabbench.recipes._base import Recipe
    from stabbench.seeds import Seeds


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that the optimizer treats alike.

    Attributes:
        names: The parameters' names.
        weight_decay: Decoupled weight decay.
        lr_factor: On the scheduled learning rate.
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


@dataclass(frozen=True)
class Intermediate:
    """A training on another task that comes first; its encoder is where all runs start.

    Attributes:
        task: The task's name.
        recipe: How it is trained there; its own intermediate task is not asked for.
        seeds: With which seeds.
    """

    task: str
    recipe: Recipe
    seeds: Seeds
