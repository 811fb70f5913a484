"""The optimizers that every recipe can be trained with, by name: what each takes of a recipe. None loads torch here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

Name = Literal[
    "adamw", "adamw-torch", "sgd", "radam", "nadam", "adafactor", "lion", "stable-adamw", "schedule-free-adamw"
]  # fmt: skip


@dataclass(frozen=True)
class Named:
    """One of them.

    Attributes:
        of: Its class in :mod:`stabbench.optim`.
        takes: Its settings, each with the recipe's parameter that it is; betas and eps by default.
        rate: What the family's learning rate, which is AdamW's, is multiplied by where the recipe leaves it open.
        beta2: In place of the family's, which is Adam's; None where it is of the same kind.
        constant: The rate stays where it is after the warmup.
    """

    of: str
    takes: Mapping[str, str]
    rate: float = 1.0
    beta2: float | None = None
    constant: bool = False


_ADAM = {"beta1": "beta1", "beta2": "beta2", "eps": "eps"}
OPTIMIZERS: Mapping[str, Named] = {
    "adamw": Named("AdamW", {**_ADAM, "bias_correction": "bias_correction"}),
    "adamw-torch": Named("TorchAdamW", _ADAM),
    "sgd": Named("SGD", {"momentum": "beta1"}, rate=500.0),
    "radam": Named("RAdam", _ADAM),
    "nadam": Named("NAdam", _ADAM),
    # Relative to the size of a parameter, which is some hundredths.
    "adafactor": Named("Adafactor", {}, rate=25.0),
    "lion": Named("Lion", {"beta1": "beta1", "beta2": "beta2"}, rate=0.2, beta2=0.99),
    "stable-adamw": Named("StableAdamW", _ADAM),
    "schedule-free-adamw": Named("ScheduleFreeAdamW", _ADAM, constant=True),
}


def made(name: str, setting: Callable[[str], Any], groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """The optimizer of that name for these groups.

    Args:
        name: One of :data:`OPTIMIZERS`.
        setting: Gives a recipe's parameter.
        groups: As any ``torch.optim.Optimizer`` takes them.
    """
    named = OPTIMIZERS[name]
    values = {argument: setting(parameter) for argument, parameter in named.takes.items()}
    if named.of == "AdamW":
        values["betas"] = (values.pop("beta1"), values.pop("beta2"))
    cls = getattr(importlib.import_module("stabbench.optim"), named.of)
    optimizer: torch.optim.Optimizer = cls(groups, lr=groups[0]["lr"], **values)
    return optimizer
