"""What an optimizer of the engine is: parameters with a leading seed axis, and one update that keeps seeds apart."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, overload

import torch
from torch import Tensor

from stabbench.optim._adamw import check_anchors

Group = Mapping[str, Any]


class SeedOptimizer(torch.optim.Optimizer):
    """The base of optimizers whose parameters are ``[seeds, ...]``: a subclass says how one parameter is updated.

    An update is element by element, or uses numbers of one whole tensor; these are then of each seed by itself
    (:func:`seed_norms`), so that a seed's run does not depend on its neighbours.

    Weight decay is decoupled (Loshchilov and Hutter 2019) and comes before the update, as in ``torch.optim.AdamW``:
    ``w <- w - lr * weight_decay * w``. A group with ``anchors``, one tensor a parameter, decays towards them.

    Args:
        params: Parameters or groups, as for any ``torch.optim.Optimizer``.
        lr: Learning rate from 0 up; a scheduler may set it at every step.
        weight_decay: Decoupled decay from 0 up.
        settings: Whatever else :meth:`update` reads from its group.

    Attributes:
        scored: The key of the state that is scored in place of the parameter; empty where that is the parameter.

    Raises:
        ValueError: A hyperparameter out of range.
    """

    scored: ClassVar[str] = ""

    def __init__(
        self, params: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float = 1e-3, weight_decay: float = 0.0,
        **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "anchors": None, **settings})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, as in any ``torch.optim.Optimizer``; its hyperparameters are checked."""
        settings = {**self.defaults, **param_group}
        for name in ("lr", "weight_decay", "eps"):
            if not 0 <= settings.get(name, 0) < math.inf:
                raise ValueError(f"{name} must be finite and not negative, got {settings[name]}")
        for name in ("beta1", "beta2", "momentum"):
            if not 0 <= settings.get(name, 0) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {settings[name]}")
        super().add_param_group(param_group)
        check_anchors(self)

    @abstractmethod
    def update(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group) -> None:
        """One update of one parameter, in place.

        Args:
            parameter: ``[seeds, ...]``.
            gradient: Of the same shape; may be changed.
            state: What is kept of this parameter from step to step: ``step``, the number of this update from 1, and
                whatever is put there: tensors ``[seeds, ...]``, and numbers that are the same for all seeds.
            group: The settings, ``lr`` among them.
        """

    def decay(self, parameter: Tensor, state: dict[str, Any], group: Group, anchor: Tensor | None) -> None:  # noqa: ARG002
        """Decoupled weight decay, before the update."""
        share = float(group["lr"]) * group["weight_decay"]
        if share != 0 and anchor is not None:
            parameter.sub_(parameter - anchor, alpha=share)
        elif share != 0:
            parameter.mul_(1 - share)

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.optim.Optimizer.profile_hook_step
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every parameter that has a gradient; the others are left alone, decay included."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            anchors = group["anchors"] or [None] * len(group["params"])
            for parameter, anchor in zip(group["params"], anchors, strict=True):
                if parameter.grad is not None:
                    state = self.state[parameter]
                    state["step"] = state.get("step", 0) + 1
                    self.decay(parameter, state, group, anchor)
                    self.update(parameter, parameter.grad, state, group)
        return loss


# PyTorch would wrap it so in every subclass, at the first instance: a class that changes while it is used.
SeedOptimizer.step.hooked = True  # type: ignore[attr-defined]


def kept(state: dict[str, Any], name: str, like: Tensor) -> Tensor:
    """A running value of a parameter's state, which begins with zeros."""
    if name not in state:
        state[name] = torch.zeros_like(like, memory_format=torch.contiguous_format)
    values: Tensor = state[name]
    return values


def averaged(state: dict[str, Any], name: str, values: Tensor, beta: float) -> Tensor:
    """The running average ``m <- beta m + (1 - beta) values``, from zeros."""
    return kept(state, name, values).mul_(beta).add_(values, alpha=1 - beta)


def averaged_square(state: dict[str, Any], name: str, values: Tensor, beta: float) -> Tensor:
    """The running average ``v <- beta v + (1 - beta) values^2``, from zeros."""
    return kept(state, name, values).mul_(beta).addcmul_(values, values, value=1 - beta)


def seed_norms(values: Tensor) -> Tensor:
    """Each seed's L2 norm of ``[seeds, ...]``, as ``[seeds, 1, ...]``, which broadcasts against it."""
    norms: Tensor = torch.linalg.vector_norm(values.reshape(len(values), -1), dim=1)
    return norms.view(-1, *[1] * (values.dim() - 1))


def seed_rms(values: Tensor) -> Tensor:
    """Each seed's root mean square of ``[seeds, ...]``, as ``[seeds, 1, ...]``."""
    return seed_norms(values) / math.sqrt(max(1, values[0].numel()))
