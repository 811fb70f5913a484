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
        what: What it is, in a line.
        paper: Its source.
        takes: Its settings, each with the recipe's parameter that it is.
        rate: What the family's learning rate, which is AdamW's, is multiplied by where the recipe leaves it open.
        beta2: In place of the family's, which is Adam's; None where it is of the same kind.
        constant: The rate stays where it is after the warmup.
    """

    of: str
    what: str
    paper: str
    takes: Mapping[str, str]
    rate: float = 1.0
    beta2: float | None = None
    constant: bool = False


_ADAM = {"beta1": "beta1", "beta2": "beta2", "eps": "eps"}
OPTIMIZERS: Mapping[str, Named] = {
    "adamw": Named(
        "AdamW",
        "AdamW in the papers' form, eps outside the corrected root",
        "Mosbach et al. 2021, eq. 1-2",
        {**_ADAM, "bias_correction": "bias_correction"},
    ),
    "adamw-torch": Named(
        "TorchAdamW", "AdamW as in PyTorch, eps after the correction", "Loshchilov and Hutter 2019", _ADAM
    ),
    "radam": Named(
        "RAdam", "Adam; the adaptive rate is held back while its variance is large", "Liu et al. 2020", _ADAM
    ),
    "nadam": Named("NAdam", "Adam with Nesterov's momentum", "Dozat 2016", _ADAM),
    "stable-adamw": Named(
        "StableAdamW",
        "AdamW; the rate falls for tensors whose second moment lags behind",
        "Wortsman et al. 2023, section 3.3",
        _ADAM,
    ),
    "schedule-free-adamw": Named(
        "ScheduleFreeAdamW",
        "AdamW with a running average, which is scored, in place of a falling rate",
        "Defazio et al. 2024",
        _ADAM,
        constant=True,
    ),
    "lion": Named(
        "Lion",
        "every entry moves by the rate",
        "Chen et al. 2023",
        {"beta1": "beta1", "beta2": "beta2"},
        rate=0.2,
        beta2=0.99,
    ),
    # Its rate is relative to the size of a parameter, which is some hundredths.
    "adafactor": Named(
        "Adafactor",
        "second moments of rows and columns; a rate relative to the parameter's size",
        "Shazeer and Stern 2018",
        {},
        rate=25.0,
    ),
    "sgd": Named("SGD", "momentum, which is beta1", "Sutskever et al. 2013", {"momentum": "beta1"}, rate=10.0),
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
